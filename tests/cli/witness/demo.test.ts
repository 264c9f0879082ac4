// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openLocal } from '#adapters/local/open.ts'
import { launchWitness, witnessFolder } from '#cli/demo/witness/launch.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import { copyOf, freshFolder, jsonOf, run, serveProcess, testPort } from '../harness.ts'

const folder = freshFolder()
const MARK = 'same machine: demonstrates, does not protect'
/** What was seen before the demo was killed. */
let ready: Started
let [statusOfUnknownLog, wasLocked] = [0, false]

interface Started {
  readonly blocks: number
  readonly witnessed: number
  readonly witness: { readonly name: string; readonly url: string; readonly failed: string | null }
}

beforeAll(async () => {
  const serving = await serveProcess(['start', '--demo', '--data', folder, '--port', testPort(20)])
  try {
    ready = serving.ready as unknown as Started
    statusOfUnknownLog = (await fetch(`${ready.witness.url}/${'0'.repeat(64)}/checkpoint`)).status
    wasLocked = existsSync(join(witnessFolder(folder), 'lock'))
    const connection = connectionTo(ready.witness.url)
    await connection.open
    await serving.kill()
    // By this the witness is known to have ended: nobody else closes it.
    await connection.closed
  } finally {
    await serving.kill()
  }
}, 60_000)

describe('the witness of the demo, in a second process', () => {
  it('has cosigned every block of the record when the story was told, and says what that is worth', () => {
    expect(ready).toMatchObject({
      logged: ready.blocks,
      witnessed: ready.blocks,
      witness: { failed: null, mark: MARK, name: expect.stringContaining('same-machine') },
    })
    expect(ready.blocks).toBeGreaterThan(9)
  })

  it('is in the policy with both its keys as one organisation, and with the URL at which it answers', () => {
    const policy = parsePolicy(readFileSync(join(folder, 'policy.txt')))
    expect(policy.witnesses.map(({ key, url }) => [key.name, key.type, url])).toEqual([
      [ready.witness.name, 'cosignature-Ed25519', ready.witness.url],
      [ready.witness.name, 'cosignature-ML-DSA-44', ready.witness.url],
    ])
    expect(policy.groups).toMatchObject([{ rule: 'all', name: policy.quorum }])
    expect(statusOfUnknownLog).toBe(404)
  })

  it('ended with the demo that was killed, and left its folder free', async () => {
    expect(wasLocked).toBe(true)
    await openLocal({ folder: witnessFolder(folder), passphrase: null }).close()
  })

  it('serves again on the next start, and ends also when only the process is killed that looks for Node 24 and runs the demo on it', async () => {
    const main = fileURLToPath(new URL('../../../cli/main.ts', import.meta.url))
    const setup = new URL('../../../cli/setup.mjs', import.meta.url).href
    const args = JSON.stringify([main, 'start', '--json', '--data', copyOf(folder)])
    const program = `const { HELD_BY_FD, runNode } = await import(${JSON.stringify(setup)})
      runNode(${args}, { AMPERE_HELD_BY_FD: String(HELD_BY_FD) })`
    const outer = spawn(process.execPath, ['--input-type=module', '-e', program])
    const said = await new Promise<Buffer>((resolve) => outer.stdout.once('data', resolve))
    expect(JSON.parse(said.toString())).toEqual(ready)
    const connection = connectionTo(ready.witness.url)
    await connection.open
    outer.kill('SIGKILL')
    // The demo lets its witness go when everything else is closed.
    await connection.closed
  }, 30_000)

  it('says in words how many blocks are witnessed, by whom, and what that is worth', async () => {
    const { out } = await run(['start', '--once', '--data', folder])
    expect(out).toContain(`  ${ready.blocks} of ${ready.blocks} blocks witnessed\n`)
    expect(out).toContain(`Witness: at ${new URL(ready.witness.url).host} (${MARK})`)
    const verified = await run(['verify', '--all', '--data', folder])
    expect(verified).toMatchObject({ code: 0, out: expect.stringContaining(`witnessed (${MARK})`) })
  }, 30_000)

  it('is said not to serve, with why, when it cannot; the demo goes on', async () => {
    const copy = copyOf(folder)
    // The next start makes it other keys than those in the policy.
    rmSync(witnessFolder(copy), { recursive: true })
    const ended = await run(['start', '--once', '--json', '--data', copy])
    const why = expect.stringContaining('its keys are not those of policy.txt')
    expect(jsonOf(ended)).toMatchObject({ ok: true, witness: { url: null, failed: why } })
  }, 30_000)
})

describe('launching a witness', () => {
  const launched = (...program: string[]) =>
    launchWitness(freshFolder(), `http://127.0.0.1:${testPort(22)}`, [process.execPath, '-e', ...program])

  it.each([
    ['ends at once', '', /ended before it served/],
    ['says what is no message', 'console.log("{")', /something else/],
    ['says a key that is none', 'console.log(JSON.stringify({ port: 1, keys: ["x"] }))', /verifier key/],
    [
      'says why it fails',
      'console.log(JSON.stringify({ failed: "its port is in use" }))',
      /its port is in use/,
    ],
  ])('is told apart from serving where the process %s', async (_, program, why) => {
    const witness = launched(program)
    expect(await witness.state()).toEqual({ failed: expect.stringMatching(why) })
    await witness.close()
  })

  it('is told apart from serving where there is no such program', async () => {
    const witness = launchWitness(freshFolder(), 'http://127.0.0.1:1', ['/no/such/program'])
    expect(await witness.state()).toEqual({ failed: 'its process cannot be started' })
    await witness.close()
  })
})

/** A connection that is held until the other side is gone. */
function connectionTo(url: string) {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) })
  socket.on('error', () => {})
  return {
    open: new Promise<void>((resolve) => socket.once('connect', () => resolve())),
    closed: new Promise<void>((resolve) => socket.once('close', () => resolve())),
  }
}
