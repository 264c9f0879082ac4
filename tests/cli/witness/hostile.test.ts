// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { probe } from '#cli/witness/look/probe.ts'
import { fetchKeys, fingerprintOf, givenKeys, linesOf, readKeysFile } from '#cli/witness/published-keys.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import { signCheckpoint } from '#core/log/note/open-checkpoint.ts'
import { formatNote, withSignatures } from '#core/log/note/note.ts'
import { signCheckpointText } from '#core/log/note/cosignature.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { sha256 } from '#core/crypto/hash.ts'
import { memoryObjects } from '#adapters/memory/objects.ts'
import { signerOf } from '#tests/core/log/signers.ts'
import { writeFileSync } from 'node:fs'
import { freshFolder } from '../harness.ts'

const logSigner = await signerOf('h.test/log', 'Ed25519', 1)
const [ed, pq] = [
  await signerOf('h.test/witness', 'cosignature-Ed25519', 2),
  await signerOf('h.test/witness', 'cosignature-ML-DSA-44', 3),
]
const vkeys = [ed, pq].map(({ key }) => formatVerifierKey(key))
const GOOD = {
  log: { name: 'h.test/log', url: 'https://h.test/log', keys: [formatVerifierKey(logSigner.key)] },
  witness: { name: 'h.test/witness', url: 'https://h.test/witness', keys: vkeys },
}
const answering =
  (body: string | Uint8Array<ArrayBuffer>, status = 200) =>
  async () =>
    new Response(body, { status })
const refused = async (): Promise<Response> => {
  throw new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }) })
}

describe('keys that another home publishes', () => {
  const fetched = (body: unknown, url = 'https://h.test') => fetchKeys(answering(JSON.stringify(body)), url)

  it('are taken from the host that names them, and handed over as lines that say the same', async () => {
    const found = await fetched(GOOD, 'https://h.test/witness')
    expect(found.witness?.keys.map(formatVerifierKey)).toEqual(vkeys)
    const file = `${freshFolder()}.txt`
    writeFileSync(file, `${linesOf(found).join('\n')}\n`)
    expect(readKeysFile(file)).toEqual(found)
  })

  it.each([
    ['of another host', GOOD, 'https://evil.test', /after another host/],
    [
      'at another host',
      { ...GOOD, witness: { ...GOOD.witness, url: 'https://evil.test/witness' } },
      undefined,
      /after another host/,
    ],
    [
      'with a foreign key',
      { ...GOOD, witness: { ...GOOD.witness, keys: GOOD.log.keys } },
      undefined,
      /after another host/,
    ],
    [
      'of two names',
      { ...GOOD, witness: { ...GOOD.witness, keys: [...vkeys, ...GOOD.log.keys] } },
      undefined,
      /one name/,
    ],
    [
      'without keys',
      { ...GOOD, witness: { ...GOOD.witness, keys: [] } },
      undefined,
      /nothing of a log and a witness/,
    ],
    [
      'that are too many',
      { ...GOOD, witness: { ...GOOD.witness, keys: Array(9).fill(vkeys[0]) } },
      undefined,
      /nothing of/,
    ],
    ['that are none', { ...GOOD, witness: { ...GOOD.witness, keys: ['x'] } }, undefined, /verifier key/],
    ['not at all', { hello: 1 }, undefined, /nothing of a log and a witness/],
  ])('are refused: %s', async (_, body, url, why) => {
    await expect(fetched(body, url)).rejects.toMatchObject({
      code: 'UPSTREAM_FAILED',
      message: expect.stringMatching(why),
    })
  })

  it.each([
    ['no JSON', answering('<html>'), /nothing of a log/],
    ['too much', answering('x'.repeat(100_000)), /does not end, or is no text/],
    ['no UTF-8', answering(Uint8Array.of(0xff)), /no text/],
    ['an error', answering('x', 500), /it answered 500/],
    ['nothing', refused, /cannot be reached \(ECONNREFUSED\)/],
  ])('are refused where the answer is %s', async (_, fetch, why) => {
    await expect(fetchKeys(fetch, 'https://h.test')).rejects.toThrow(why)
  })

  it('have a fingerprint that does not depend on their order, and does on every key', () => {
    const both = givenKeys(vkeys, null).keys
    expect(fingerprintOf(both)).toBe(fingerprintOf(both.toReversed()))
    expect(fingerprintOf(both)).toMatch(/^([0-9a-f]{4} ){7}[0-9a-f]{4}$/)
    expect(fingerprintOf(both.slice(1))).not.toBe(fingerprintOf(both))
  })
})

describe('what a witness shows of a log', () => {
  const policy = parsePolicy(
    [
      `log ${GOOD.log.keys[0] ?? ''}`,
      ...vkeys.map((key, i) => `witness w${i} ${key} https://h.test/witness`),
      'quorum none\n',
    ].join('\n'),
  )
  const asked = { name: 'h.test/witness', url: 'https://h.test/witness', keys: [ed.key, pq.key] }
  const root = (text: string) => sha256(utf8(text))
  const tree = (size: number, hash: Uint8Array, origin = 'h.test/log') => ({
    origin,
    size,
    root: hash,
    extensions: [],
  })
  const own = {
    origin: 'h.test/log',
    newest: async () => tree(1, root('x')),
    tile: (path: string) => memoryObjects().fetch(path),
    nowSeconds: 7,
  }
  const note = async (checkpoint: ReturnType<typeof tree>, cosigners = [ed, pq]) => {
    const signed = await signCheckpoint(checkpoint, [logSigner], 5)
    const made = await Promise.all(cosigners.map((signer) => signCheckpointText(signer, signed.text, 7)))
    return formatNote(withSignatures(signed, made))
  }
  const shown = async (text: string, status = 200) => probe(answering(text, status), policy, asked, own)

  it('is its size and time where it is the same history', async () => {
    expect(await shown(await note(tree(1, root('x'))))).toEqual({
      reachable: true,
      why: null,
      cosigned: { size: 1, time: 7 },
      alarm: null,
      clock: null,
    })
  })

  it('says that its clock is ahead of this one, or behind that of the log', async () => {
    const at = async (nowSeconds: number, signedAt: number) => {
      const pqLog = await signerOf('h.test/log', 'cosignature-ML-DSA-44', 4)
      const logs = [...policy.logs, { key: pqLog.key, url: null }]
      const signed = await signCheckpoint(tree(1, root('x')), [logSigner, pqLog], signedAt)
      const made = await Promise.all([ed, pq].map((signer) => signCheckpointText(signer, signed.text, 1000)))
      const text = formatNote(withSignatures(signed, made))
      return (await probe(answering(text, 200), { ...policy, logs }, asked, { ...own, nowSeconds })).clock
    }
    expect([await at(880, 1120), await at(879, 1120), await at(1120, 1121)]).toEqual([
      null,
      'ahead',
      'behind',
    ])
  })

  it('is an alarm where the log itself signed more, or another history', async () => {
    expect(await shown(await note(tree(2, root('x'))))).toMatchObject({ alarm: 'rollback' })
    expect(await shown(await note(tree(1, root('y'))))).toMatchObject({ alarm: 'fork' })
  })

  it('is no alarm where the witness made it up', async () => {
    const good = await note(tree(2, root('x')))
    const forged = good.replace('\n2\n', '\n3\n')
    for (const text of [forged, 'garbage', '', good.slice(0, -20)])
      expect(await shown(text)).toMatchObject({
        reachable: true,
        alarm: null,
        cosigned: null,
        why: expect.any(String),
      })
  })

  it('does not count without all its keys', async () => {
    expect(await shown(await note(tree(1, root('x')), [ed]))).toMatchObject({
      cosigned: null,
      why: expect.stringContaining('all its keys'),
    })
  })

  it('says why nothing can be seen', async () => {
    expect(await shown('x', 404)).toMatchObject({ reachable: true, why: expect.stringContaining('accept') })
    expect(await shown('x', 503)).toMatchObject({ reachable: true, why: 'it answered 503' })
    expect(await probe(refused, policy, asked, own)).toMatchObject({
      reachable: false,
      why: 'it cannot be reached (ECONNREFUSED)',
    })
  })
})
