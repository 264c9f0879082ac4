// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { seenByWitnesses } from '#cli/mirror/seen-by-witnesses.ts'
import { logOriginOf } from '#core/api/log.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { formatNote, MAX_NOTE_BYTES } from '#core/log/note/note.ts'
import { signCheckpoint } from '#core/log/note/open-checkpoint.ts'
import { parsePolicy, type Policy } from '#core/log/policy/policy.ts'
import { signerOf, TIME } from '#tests/core/log/signers.ts'

const ORIGIN = 'http://home.test'
const LOG = logOriginOf(ORIGIN)
const signers = [await signerOf(LOG, 'Ed25519', 1), await signerOf(LOG, 'cosignature-ML-DSA-44', 2)]
const witness = await signerOf('w.test/witness', 'cosignature-ML-DSA-44', 3)
const noteBy = async (by: typeof signers) => {
  const checkpoint = { origin: by[0]?.key.name ?? '', size: 1, root: new Uint8Array(32), extensions: [] }
  return formatNote(await signCheckpoint(checkpoint, by, TIME))
}

/** What the witness answers with. */
let answer = { status: 200, text: '' }
const server = createServer((_, response) => {
  response.writeHead(answer.status).end(answer.text)
})
let policy: Policy

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  policy = parsePolicy(
    [
      ...signers.map(({ key }) => `log ${formatVerifierKey(key)}`),
      `witness w ${formatVerifierKey(witness.key)} http://127.0.0.1:${port}/`,
      'quorum w',
      '',
    ].join('\n'),
  )
})
afterAll(() => new Promise((resolve) => server.close(resolve)))

describe('what a witness saw, asked before a restore', () => {
  it('is the checkpoint that it has, or nothing where it never saw one', async () => {
    answer = { status: 200, text: await noteBy(signers.slice(0, 1)) }
    const said: string[] = []
    const screen = { say: (line: string) => void said.push(line) }
    expect(await seenByWitnesses(screen, policy, ORIGIN, false)).toEqual([answer.text])
    answer = { status: 404, text: '' }
    expect(await seenByWitnesses(screen, policy, ORIGIN, false)).toEqual([])
    expect(await seenByWitnesses(screen, null, ORIGIN, false)).toEqual([])
    expect(said).toEqual([])
  })

  it.each([
    ['no note', async () => 'nonsense'],
    ['more than a note may have', async () => 'a'.repeat(MAX_NOTE_BYTES + 1)],
    ['a note that its log did not sign', async () => noteBy([await signerOf(LOG, 'Ed25519', 9)])],
    ['a note of another log', async () => noteBy([await signerOf('other.test/log', 'Ed25519', 1)])],
  ])('stops a restore where it is %s, and with --without-witness is passed over by name', async (_, text) => {
    answer = { status: 200, text: await text() }
    const said: string[] = []
    const screen = { say: (line: string) => void said.push(line) }
    const message = expect.stringContaining('does not say what it saw')
    await expect(seenByWitnesses(screen, policy, ORIGIN, false)).rejects.toMatchObject({
      code: 'UPSTREAM_FAILED',
      message,
    })
    expect(await seenByWitnesses(screen, policy, ORIGIN, true)).toEqual([])
    expect(said).toEqual([expect.stringContaining('Passed over: the witness')])
  })
})
