// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { toBase64 } from '#core/bytes/base64.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { leafHash, merkleRoot } from '#core/log/merkle.ts'
import { signCheckpointText, signSubtree } from '#core/log/note/cosignature.ts'
import { formatVerifierKey, type LogSigner } from '#core/log/note/key.ts'
import { formatNote, withSignatures } from '#core/log/note/note.ts'
import { signCheckpoint } from '#core/log/note/open-checkpoint.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import { inclusionProof } from '#core/log/proof.ts'
import {
  formatTlogProof,
  MAX_TLOG_PROOF_BYTES,
  parseTlogProof,
  verifyTlogProof,
  type TlogProof,
} from '#core/log/tlog-proof.ts'
import { COSIGNED_NOTE, ENTRY, LOG_MALFORMED, LOG_VKEY, signerOf, TIME, WITNESS_VKEY } from './signers.ts'

const verifiers = createVerifiers()
const leaves = Array.from({ length: 7 }, (_, i) => utf8(`entry ${i}`))
const hashes = leaves.map(leafHash)
const checkpoint = { origin: 'ampere.example/log1', size: 7, root: merkleRoot(hashes), extensions: [] }

const log = await signerOf('ampere.example/log1', 'Ed25519', 1)
const pqLog = await signerOf('ampere.example/log1', 'cosignature-ML-DSA-44', 1)
const otherLog = await signerOf('ampere.example/log2', 'Ed25519', 4)
const witness = await signerOf('witness.example/w1', 'cosignature-Ed25519', 2)
const pqWitness = await signerOf('witness.example/w1', 'cosignature-ML-DSA-44', 2)
const stranger = await signerOf('witness.example/w9', 'cosignature-Ed25519', 9)
const vkey = ({ key }: LogSigner) => formatVerifierKey(key)

/** One organisation that cosigns with two keys, of which both must. */
const policy = parsePolicy(`log ${vkey(log)}
log ${vkey(pqLog)}
log ${vkey(otherLog)}
witness w1 ${vkey(witness)}
witness w1-pq ${vkey(pqWitness)}
group org all w1 w1-pq
quorum org
`)

const signed = await signCheckpoint(checkpoint, [log, pqLog], TIME)
const noteBy = async (...cosigners: LogSigner[]) =>
  formatNote(
    withSignatures(
      signed,
      await Promise.all(cosigners.map((one) => signCheckpointText(one, signed.text, TIME + 5))),
    ),
  )
const proofOf = (index: number, note: string, extra: Uint8Array | null = null): TlogProof => ({
  extra,
  index,
  hashes: inclusionProof(hashes, index),
  note,
})
const cosigned = await noteBy(witness, pqWitness)
const leafAt = (index: number) => leaves[index] as Uint8Array

describe('a tlog-proof', () => {
  it('is written as the specification shows, with the checkpoint’s note as it is', () => {
    const text = formatTlogProof(proofOf(5, cosigned, utf8('label')))
    const lines = inclusionProof(hashes, 5).map(toBase64)
    expect(text).toBe(`c2sp.org/tlog-proof@v1\nextra bGFiZWw=\nindex 5\n${lines.join('\n')}\n\n${cosigned}`)
    expect(parseTlogProof(text)).toEqual(proofOf(5, cosigned, Uint8Array.from(utf8('label'))))
    expect(parseTlogProof(utf8(text))).toEqual(parseTlogProof(text))
  })

  it('tells no extra data from empty extra data, as other implementations write it', () => {
    const without = formatTlogProof(proofOf(0, cosigned))
    expect(parseTlogProof(without).extra).toBeNull()
    const empty = without.replace('\nindex', '\nextra \nindex')
    expect(parseTlogProof(empty).extra).toEqual(new Uint8Array(0))
    expect(formatTlogProof(parseTlogProof(empty))).toBe(empty)
  })

  it('verifies for every leaf, offline, and says who signed and when', async () => {
    for (const [index, leaf] of leaves.entries()) {
      const proof = parseTlogProof(formatTlogProof(proofOf(index, cosigned)))
      expect(await verifyTlogProof(proof, leaf, policy, verifiers)).toEqual({
        checkpoint,
        index,
        signedBy: [log.key, pqLog.key],
        cosignatures: [
          { key: witness.key, time: TIME + 5 },
          { key: pqWitness.key, time: TIME + 5 },
        ],
        quorum: { satisfied: true, missing: [] },
      })
    }
  })

  it('of the only leaf of a log has no hashes: the published example verifies', async () => {
    const published = parsePolicy(`log ${LOG_VKEY}\nwitness w1 ${WITNESS_VKEY}\nquorum w1\n`)
    const proof = parseTlogProof(`c2sp.org/tlog-proof@v1\nindex 0\n\n${COSIGNED_NOTE}`)
    const verified = await verifyTlogProof(proof, utf8(ENTRY), published, verifiers)
    expect(verified.quorum.satisfied).toBe(true)
    expect(verified.cosignatures.map(({ time }) => time)).toEqual([TIME])
    await expect(verifyTlogProof(proof, utf8('hallo'), published, verifiers)).rejects.toMatchObject({
      code: 'PROOF_INVALID',
    })
  })

  it('with too few cosignatures is an answer that says who is missing', async () => {
    const asked = async (...cosigners: LogSigner[]) =>
      (await verifyTlogProof(proofOf(2, await noteBy(...cosigners)), leafAt(2), policy, verifiers)).quorum
    expect(await asked()).toEqual({ satisfied: false, missing: ['w1', 'w1-pq'] })
    expect(await asked(witness)).toEqual({ satisfied: false, missing: ['w1-pq'] })
    expect(await asked(pqWitness, stranger)).toEqual({ satisfied: false, missing: ['w1'] })
  })

  it('counts no cosignature that has no time', async () => {
    const whole = { origin: checkpoint.origin, start: 0, end: 7, hash: checkpoint.root }
    const note = withSignatures(signed, [
      await signCheckpointText(witness, signed.text, TIME),
      await signSubtree(pqWitness, whole, 0),
    ])
    const verified = await verifyTlogProof(proofOf(1, formatNote(note)), leafAt(1), policy, verifiers)
    expect(verified.cosignatures).toContainEqual({ key: pqWitness.key, time: 0 })
    expect(verified.quorum).toEqual({ satisfied: false, missing: ['w1-pq'] })
  })

  it('does not verify for another leaf, index or path', async () => {
    const proof = proofOf(3, cosigned)
    const [first = new Uint8Array(32), ...rest] = proof.hashes
    const wrong: [TlogProof, Uint8Array][] = [
      [proof, leafAt(2)],
      [proof, leafHash(leafAt(3))],
      [{ ...proof, index: 2 }, leafAt(3)],
      [{ ...proof, index: 7 }, leafAt(3)],
      [{ ...proof, hashes: rest }, leafAt(3)],
      [{ ...proof, hashes: [...rest, first] }, leafAt(3)],
      [{ ...proof, hashes: [...proof.hashes, first] }, leafAt(3)],
      [{ ...proof, hashes: [first.map((byte, i) => (i === 31 ? byte ^ 1 : byte)), ...rest] }, leafAt(3)],
    ]
    for (const [changed, leaf] of wrong)
      await expect(verifyTlogProof(changed, leaf, policy, verifiers)).rejects.toMatchObject({
        code: 'PROOF_INVALID',
      })
  })

  it('does not verify when its log is not in the policy, or another log of the policy signed', async () => {
    const invalid = { code: 'SIGNATURE_INVALID' }
    const others = parsePolicy(`log ${vkey(otherLog)}\nquorum none\n`)
    await expect(verifyTlogProof(proofOf(0, cosigned), leafAt(0), others, verifiers)).rejects.toMatchObject(
      invalid,
    )
    const nobody = parsePolicy('quorum none\n')
    await expect(verifyTlogProof(proofOf(0, cosigned), leafAt(0), nobody, verifiers)).rejects.toMatchObject(
      invalid,
    )
    const byOther = formatNote({
      text: signed.text,
      signatures: [await signCheckpointText(otherLog, signed.text, TIME)],
    })
    await expect(verifyTlogProof(proofOf(0, byOther), leafAt(0), policy, verifiers)).rejects.toMatchObject(
      invalid,
    )
  })

  it('does not verify by one type of key of its log where the policy has both', async () => {
    const byOne = async (one: LogSigner) => formatNote(await signCheckpoint(checkpoint, [one], TIME))
    for (const one of [log, pqLog]) {
      const proof = proofOf(0, await byOne(one))
      await expect(verifyTlogProof(proof, leafAt(0), policy, verifiers)).rejects.toMatchObject({
        code: 'SIGNATURE_INVALID',
        message: 'a checkpoint lacks a signature by one of the types of key of its log',
      })
      const alone = parsePolicy(`log ${vkey(one)}\nquorum none\n`)
      expect((await verifyTlogProof(proof, leafAt(0), alone, verifiers)).signedBy).toEqual([one.key])
    }
  })

  it('verifies by any one of several keys of a type, while one follows another', async () => {
    const next = await signerOf('ampere.example/log1', 'Ed25519', 5)
    const both = parsePolicy(`log ${vkey(log)}\nlog ${vkey(next)}\nlog ${vkey(pqLog)}\nquorum none\n`)
    for (const one of [log, next]) {
      const proof = proofOf(0, formatNote(await signCheckpoint(checkpoint, [one, pqLog], TIME)))
      expect((await verifyTlogProof(proof, leafAt(0), both, verifiers)).signedBy).toHaveLength(2)
    }
  })

  it('does not verify with a forged cosignature of a witness of the policy, though others suffice', async () => {
    const enough = parsePolicy(
      `log ${vkey(log)}\nwitness w1 ${vkey(witness)}\nwitness pq ${vkey(pqWitness)}\nquorum w1\n`,
    )
    const [, , , last] = cosigned.split('\n\n')[1]?.split('\n') ?? []
    const symbol = last?.at(-9) === 'A' ? 'B' : 'A'
    const forged = cosigned.replace(last ?? '', `${last?.slice(0, -9)}${symbol}${last?.slice(-8)}`)
    expect(forged).not.toBe(cosigned)
    await expect(verifyTlogProof(proofOf(0, forged), leafAt(0), enough, verifiers)).rejects.toMatchObject({
      code: 'SIGNATURE_INVALID',
    })
  })

  const good = formatTlogProof(proofOf(5, cosigned))
  const hash = toBase64(new Uint8Array(32))
  it.each([
    ['another version', good.replace('@v1', '@v2')],
    ['no version', good.slice(good.indexOf('\n') + 1)],
    ['no index', good.replace('index 5\n', '')],
    ['an index with a leading zero', good.replace('index 5', 'index 05')],
    ['an index with a sign', good.replace('index 5', 'index -5')],
    ['an index beyond 2^53-1', good.replace('index 5', 'index 9007199254740992')],
    ['an index beyond 2^63-1', good.replace('index 5', 'index 9223372036854775808')],
    ['two spaces', good.replace('index 5', 'index  5')],
    ['extra behind the index', good.replace('index 5', 'index 5\nextra AA==')],
    ['extra twice', good.replace('index', 'extra AA==\nextra AA==\nindex')],
    ['extra that is not base64', good.replace('index', 'extra AB==\nindex')],
    ['a hash of another length', good.replace('index 5\n', `index 5\n${toBase64(new Uint8Array(31))}\n`)],
    ['a hash with slack bits', good.replace('index 5\n', `index 5\n${hash.slice(0, -2)}B=\n`)],
    ['64 hashes', good.replace('index 5\n', `index 5\n${`${hash}\n`.repeat(64)}`)],
    ['no empty line', good.replaceAll('\n\n', '\n')],
    ['no checkpoint', good.slice(0, good.indexOf('\n\n') + 2)],
    ['a checkpoint without signatures', good.slice(0, good.lastIndexOf('\n\n') + 1)],
    ['a note that is no checkpoint', good.replace('\n7\n', '\nseven\n')],
    ['a carriage return', good.replaceAll('\n', '\r\n')],
    ['a NUL', good.replace('index 5', 'index 5\0')],
    ['no final newline', good.slice(0, -1)],
    ['too many bytes', good.replace('index', `extra ${'AAAA'.repeat(MAX_TLOG_PROOF_BYTES / 4)}\nindex`)],
  ])('is refused with %s', (_, text) => {
    expect(() => parseTlogProof(text)).toThrow(expect.objectContaining(LOG_MALFORMED))
  })

  it.each([
    ['an index that is no count', { index: -1 }],
    ['64 hashes', { hashes: Array.from({ length: 64 }, () => new Uint8Array(32)) }],
    ['a hash of another length', { hashes: [new Uint8Array(20)] }],
    ['a note that is no checkpoint', { note: 'a\n\n\u2014 a AAAAAQE=\n' }],
  ])('is not written with %s', (_, change) => {
    expect(() => formatTlogProof({ ...proofOf(5, cosigned), ...change })).toThrow(
      expect.objectContaining(LOG_MALFORMED),
    )
  })
})
