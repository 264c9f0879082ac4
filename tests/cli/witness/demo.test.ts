// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { launchWitness, witnessFolder } from '#cli/demo/witness/launch.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import { copyOf, freshFolder, jsonOf, run, serveProcess, testPort, type Serving } from '../harness.ts'

const folder = freshFolder()
const MARK = 'same machine: demonstrates, does not protect'
let serving: Serving

interface Started {
  readonly blocks: number
  readonly witnessed: number
  readonly witness: { readonly name: string; readonly url: string; readonly failed: string | null }
}
const ready = () => serving.ready as unknown as Started

beforeAll(async () => {
  serving = await serveProcess(['start', '--demo', '--data', folder, '--port', testPort(20)])
}, 60_000)
afterAll(() => serving.kill())

describe('the witness of the demo, in a second process', () => {
  it('has cosigned every block of the record when the story was told, and says what that is worth', () => {
    expect(ready()).toMatchObject({
      logged: ready().blocks,
      witnessed: ready().blocks,
      witness: { failed: null, mark: MARK, name: expect.stringContaining('same-machine') },
    })
    expect(ready().blocks).toBeGreaterThan(9)
  })

  it('is in the policy with both its keys as one organisation, and with the URL at which it answers', async () => {
    const policy = parsePolicy(readFileSync(join(folder, 'policy.txt')))
    expect(policy.witnesses.map(({ key, url }) => [key.name, key.type, url])).toEqual([
      [ready().witness.name, 'cosignature-Ed25519', ready().witness.url],
      [ready().witness.name, 'cosignature-ML-DSA-44', ready().witness.url],
    ])
    expect(policy.groups).toMatchObject([{ rule: 'all', name: policy.quorum }])
    expect((await fetch(`${ready().witness.url}/${'0'.repeat(64)}/checkpoint`)).status).toBe(404)
  })

  it('ends with the demo when that is killed, leaves its folder free, and serves again on the next start', async () => {
    const gone = closedConnection(Number(new URL(ready().witness.url).port))
    await gone.open
    expect(existsSync(join(witnessFolder(folder), 'lock'))).toBe(true)
    await serving.kill()
    await gone.closed
    // At once: the next one waits for folder and port of the one before.
    const again = await run(['start', '--once', '--json', '--data', folder])
    expect(jsonOf(again)).toEqual(serving.ready)
    await openLocal({ folder: witnessFolder(folder), passphrase: null }).close()
  }, 30_000)

  it('says in words how many blocks are witnessed, by whom, and what that is worth', async () => {
    const { out } = await run(['start', '--once', '--data', folder])
    const { blocks, witness } = ready()
    expect(out).toContain(`  ${blocks} of ${blocks} blocks witnessed\n`)
    expect(out).toContain(`Witness: at ${new URL(witness.url).host} (${MARK})`)
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
function closedConnection(port: number) {
  const socket = connect({ host: '127.0.0.1', port })
  socket.on('error', () => {})
  return {
    open: new Promise<void>((resolve) => socket.once('connect', () => resolve())),
    closed: new Promise<void>((resolve) => socket.once('close', () => resolve())),
  }
}
