// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { toHex } from '#core/bytes/encoding.ts'
import { uint32 } from '#core/bytes/frame.ts'
import { createVerifiers, softwareSigner } from '#core/crypto/signature.ts'
import { signCheckpointText } from '#core/log/note/cosignature.ts'
import { formatVerifierKey, logSigner, parseVerifierKey, type LogSigner } from '#core/log/note/key.ts'
import { formatNote, parseNote, withSignatures } from '#core/log/note/note.ts'
import { openCheckpoint } from '#core/log/note/open-checkpoint.ts'
import { formatPolicy, parsePolicy, type Policy } from '#core/log/policy/policy.ts'
import { formatTlogProof, parseTlogProof } from '#core/log/tlog-proof.ts'
import { ORIGIN } from '#tests/deployment.ts'
import { getReceipt, LOG, startHome, type LoggingHome } from '../served-log.ts'
import { verifyInGo } from './programs.ts'
import { describeWithGo } from './software.ts'

/** POSIX seconds at which the cosigners here sign. */
const TIME = 1_790_000_000
const BLOCKS = 9

describeWithGo('notes, policies and proofs, judged by torchwood', () => {
  let home: LoggingHome
  let note: string
  let cosigned: string
  /** A witness of Ed25519, then one of ML-DSA-44. */
  let witnesses: readonly LogSigner[]
  const idOf = (signer: LogSigner) => toHex(uint32(signer.key.id))
  const errorsOf = (said: readonly { readonly error?: string }[]) => said.map(({ error }) => error ?? null)

  beforeAll(async () => {
    home = await startHome()
    await home.add(BLOCKS)
    note = await home.checkpoint()
    witnesses = [
      logSigner('w.test/1', 'cosignature-Ed25519', await softwareSigner('Ed25519', seed(2))),
      logSigner('w.test/2', 'cosignature-ML-DSA-44', await softwareSigner('ML-DSA-44', seed(3))),
    ]
    const { text } = parseNote(note)
    const made = await Promise.all(witnesses.map(async (each) => signCheckpointText(each, text, TIME)))
    cosigned = formatNote(withSignatures(parseNote(note), made))
  })
  afterAll(async () => home.log.close())

  /** The home's log under its Ed25519 key, and a quorum of the witnesses. */
  const policy = (quorum: 'all' | 'any' | 1 | 2 | null, of = witnesses): string => {
    const named = of.map(({ key }, i) => ({ name: `w${i}`, key, url: `https://w.test/${i}` }))
    const members = named.map(({ name }) => name)
    const given: Policy = {
      logs: [{ key: parseVerifierKey(home.keys[0]), url: `${ORIGIN}/log` }],
      witnesses: named,
      groups: quorum === null ? [] : [{ name: 'g', rule: quorum, members }],
      quorum: quorum === null ? null : 'g',
    }
    return formatPolicy(given)
  }

  it('verifies both signatures of a checkpoint, and the time in that of ML-DSA-44', async () => {
    const [said] = await verifyInGo([{ note, keys: home.keys }])
    const ids = home.keys.map((key) => toHex(uint32(parseVerifierKey(key).id)))
    expect(said).toEqual({
      origin: LOG,
      size: expect.any(Number),
      signatures: [
        { name: LOG, id: ids[0], time: null },
        { name: LOG, id: ids[1], time: Math.floor(home.world.clock.now / 1000) },
      ],
    })
  })

  it('verifies cosignatures of both types, with their time', async () => {
    const keys = witnesses.map(({ key }) => formatVerifierKey(key))
    const [said] = await verifyInGo([{ note: cosigned, keys }])
    expect(said?.signatures).toEqual(
      witnesses.map((each) => ({ name: each.key.name, id: idOf(each), time: TIME })),
    )
  })

  it('refuses a checkpoint and each of four signatures of which one bit is another', async () => {
    const keys = [...home.keys, ...witnesses.map(({ key }) => formatVerifierKey(key))]
    const { text, signatures } = parseNote(cosigned)
    const spoiled = signatures.map((_, which) =>
      formatNote({
        text,
        signatures: signatures.map((each, i) =>
          i === which ? { ...each, blob: flipped(each.blob, -1) } : each,
        ),
      }),
    )
    const early = signatures.map((each, i) => (i < 2 ? each : { ...each, blob: flipped(each.blob, 7) }))
    const larger = text.replace(/\n\d+\n/, '\n99\n')
    const notes = [
      cosigned,
      ...spoiled,
      formatNote({ text, signatures: early }),
      formatNote({ text: larger, signatures }),
    ]
    const said = await verifyInGo(notes.map((each) => ({ note: each, keys })))
    expect(errorsOf(said)).toEqual([
      null,
      ...notes.slice(1).map(() => expect.stringMatching(/invalid signature/)),
    ])
  })

  it('reads a policy of ours, as Tessera does too, and holds a checkpoint to its quorum', async () => {
    const quorums = ['all', 'any', 1, 2, null] as const
    const one = formatNote({ ...parseNote(cosigned), signatures: parseNote(cosigned).signatures.slice(0, 3) })
    const asked = [cosigned, one, note].flatMap((each) =>
      quorums.map((quorum) => ({ note: each, policy: policy(quorum) })),
    )
    const byTessera = asked.map((each) => ({ ...each, byTessera: true }))
    const said = errorsOf(await verifyInGo([...asked, ...byTessera])).map((error) => error === null)
    const both = [true, true, true, true, true]
    const alone = [false, true, true, false, true]
    const none = [false, false, false, false, true]
    const expected = [...both, ...alone, ...none]
    expect(said).toEqual([...expected, ...expected])
    for (const { policy: text } of asked) expect(formatPolicy(parsePolicy(text))).toBe(text)
  })

  /** c2sp.org/tlog-policy takes any type of key that logs have, and a checkpoint that any one of the logs signed. */
  it('reads narrower policies than the specification: logs of Ed25519, all of which signed', async () => {
    const [ed25519, mlDsa] = home.keys.map((key) => `log ${key}\n`)
    const signer = await softwareSigner('Ed25519', seed(4))
    const other = `log ${formatVerifierKey(logSigner('elsewhere.test/log', 'Ed25519', signer).key)}\n`
    const logs = [`${ed25519}`, `${mlDsa}`, `${ed25519}${other}`]
    const policies = logs.map((lines) => `${lines}quorum none\n`)
    const said = errorsOf(await verifyInGo(policies.map((text) => ({ note, policy: text }))))
    expect(said).toEqual([null, expect.stringMatching(/invalid log vkey/), expect.any(String)])
    for (const text of policies) {
      const keys = { logs: parsePolicy(text).logs.map(({ key }) => key), cosigners: [] }
      expect((await openCheckpoint(note, keys, createVerifiers())).signedBy).toHaveLength(1)
    }
  })

  it('verifies the receipt of every block, and none that was changed', async () => {
    const { items } = await home.connection.api.blocks(home.record, 0)
    expect(items.length).toBeGreaterThan(BLOCKS)
    const given = await Promise.all(
      items.map(async (_, height) => {
        const { proof, entry } = await getReceipt(home, height)
        return { proof, entry, policy: policy(null) }
      }),
    )
    const said = await verifyInGo(given)
    expect(errorsOf(said)).toEqual(given.map(() => null))
    const changed = given.flatMap((each, i) => changesOf(each, given[(i + 1) % given.length]?.entry ?? ''))
    const refused = errorsOf(await verifyInGo(changed))
    expect(refused).toEqual(changed.map(() => expect.any(String)))
  })

  it('verifies a receipt whose checkpoint is cosigned, as far as its quorum goes', async () => {
    const { proof, entry } = await getReceipt(home, 1)
    const proofs = [note, cosigned].map((each) => formatTlogProof({ ...parseTlogProof(proof), note: each }))
    const said = await verifyInGo(proofs.map((each) => ({ proof: each, entry, policy: policy('all') })))
    expect(errorsOf(said)).toEqual([expect.any(String), null])
  })
})

const seed = (byte: number) => new Uint8Array(32).fill(byte)

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice()
  const place = at < 0 ? copy.length + at : at
  copy[place] = (copy[place] ?? 0) ^ 1
  return copy
}

/** The same receipt with another index, another hash, one hash fewer, one more, another root, another entry. */
function changesOf(given: { proof: string; entry: string; policy: string }, other: string) {
  const proof = parseTlogProof(given.proof)
  const [first = new Uint8Array(32), ...rest] = proof.hashes
  const proofs = [
    { ...proof, index: proof.index + 1 },
    { ...proof, hashes: [flipped(first, 0), ...rest] },
    { ...proof, hashes: rest },
    { ...proof, hashes: [...proof.hashes, first] },
  ]
  return [...proofs.map((each) => ({ ...given, proof: formatTlogProof(each) })), { ...given, entry: other }]
}
