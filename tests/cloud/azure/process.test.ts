// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { azureStack, EMULATOR } from './stack.ts'

const run = promisify(execFile)

describe('a process on Azure', () => {
  it('writes nothing of what it asks, even when told to, and ends when its platform is closed', async () => {
    const { naming, vault, close } = await azureStack()
    const asked = { naming: { ...naming, vaultUrl: vault.origin }, emulator: EMULATOR }
    const env = { ...process.env, AZURE_LOG_LEVEL: 'verbose', AZURE_COSMOSDB_DIAGNOSTICS_LEVEL: 'debug' }
    const child = join(import.meta.dirname, 'quiet-child.ts')
    const args = ['--disable-warning=ExperimentalWarning', child, JSON.stringify(asked)]
    const { stdout, stderr } = await run(process.execPath, args, { env, timeout: 60_000 })
    expect({ stdout, stderr }).toEqual({ stdout: 'done', stderr: '' })
    await close()
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
