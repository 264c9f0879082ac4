// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openAzure } from '#adapters/azure/open.ts'
import { closeServer } from './fake-vault.ts'
import { azureStack, CREDENTIAL, EMULATOR } from './stack.ts'

const run = promisify(execFile)

describe('a process on Azure', () => {
  it('writes nothing of what it asks, even when told to, and ends when its platform is closed', async () => {
    const stack = await azureStack()
    const { naming, vault } = stack
    const asked = { naming: { ...naming, vaultUrl: vault.origin }, emulator: EMULATOR }
    const env = { ...process.env, AZURE_LOG_LEVEL: 'verbose', AZURE_COSMOSDB_DIAGNOSTICS_LEVEL: 'debug' }
    const child = join(import.meta.dirname, 'quiet-child.ts')
    const args = ['--disable-warning=ExperimentalWarning', child, JSON.stringify(asked)]
    const { stdout, stderr } = await run(process.execPath, args, { env, timeout: 60_000 })
    expect({ stdout, stderr }).toEqual({ stdout: 'done', stderr: '' })
    await stack.close()
  })

  it('that only uses tables loads no code for objects and keys before they are used', () => {
    // What is imported with `import` outside of a function is loaded with the file.
    const adapter = join(import.meta.dirname, '../../../adapters/azure')
    const files = [
      'open',
      'table',
      'objects',
      'signer',
      'unwrapper',
      'errors',
      'keys/open-keys',
      'clients/blob',
    ]
    const more = [
      'clients/calls',
      'clients/cosmos',
      'clients/credential',
      'clients/naming',
      'clients/transport',
      'clients/vault',
    ]
    const loaded = [...files, ...more].flatMap(
      (file) =>
        readFileSync(join(adapter, `${file}.ts`), 'utf8').match(/^import (?!type ).*'@azure.*$/gm) ?? [],
    )
    expect(loaded).toEqual([])
  })
})

describe('connections to Azure', () => {
  it('are kept between requests, and not used again once they may have ended', async () => {
    const ports: number[] = []
    const server = createServer((request, response) => {
      ports.push(request.socket.remotePort ?? 0)
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"message":"none"}')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const stack = await azureStack()
    const cosmosEndpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const naming = { ...stack.naming, cosmosEndpoint }
    const connections = async (keptMs: number) => {
      ports.length = 0
      const platform = openAzure({ naming, credential: CREDENTIAL, emulator: EMULATOR, limits: { keptMs } })
      for (let i = 0; i < 4; i++) await platform.table('blocks').get('p', 'k')
      await platform.close()
      return new Set(ports).size
    }
    expect(await connections(60_000)).toBe(1)
    expect(await connections(-1)).toBe(4)
    await closeServer(server)
    await stack.close()
  })

  it('may be slower to answer than a server keeps them without a request', async () => {
    const answered = { first: false }
    const server = createServer((_, response) => {
      const answer = () =>
        response.writeHead(404, { 'content-type': 'application/json' }).end('{"message":""}')
      if (answered.first) setTimeout(answer, 1_500)
      else answer()
      answered.first = true
    })
    // Of which clients are told, and take one second less.
    server.keepAliveTimeout = 2_000
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const stack = await azureStack()
    const cosmosEndpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const platform = stack.open({ naming: { ...stack.naming, cosmosEndpoint } })
    for (const key of ['first', 'slow']) expect(await platform.table('blocks').get('p', key)).toBeNull()
    await platform.close()
    await closeServer(server)
    await stack.close()
  })
})
