// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { fromBase64, toBase64 } from '#core/bytes/base64.ts'
import { toHex, utf8 } from '#core/bytes/encoding.ts'
import { concat, uint32, uint64 } from '#core/bytes/frame.ts'
import { sha256 } from '#core/crypto/hash.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { parseAddCheckpoint } from '#core/log/add-checkpoint.ts'
import { merkleRoot } from '#core/log/merkle.ts'
import { formatCheckpoint } from '#core/log/note/checkpoint.ts'
import {
  cosignatureMessage,
  signCheckpointText,
  signSubtree,
  subtreeMessage,
  verifyCheckpointSignature,
  verifySubtree,
} from '#core/log/note/cosignature.ts'
import { formatVerifierKey, parseVerifierKey } from '#core/log/note/key.ts'
import { formatNote, parseSignatureLines, type NoteSignature } from '#core/log/note/note.ts'
import { openCheckpoint, signCheckpoint } from '#core/log/note/open-checkpoint.ts'
import { tlogVectors } from '#tests/vectors/tlog.ts'
import {
  CHECKPOINT,
  CHECKPOINT_TEXT,
  COSIGNED_NOTE,
  LOG_MALFORMED,
  LOG_VKEY,
  signerOf,
  TIME,
  WITNESS_VKEY,
} from './signers.ts'

const SIGNATURE_INVALID = { code: 'SIGNATURE_INVALID', name: 'AmpereError' }
const MESSAGE =
  '737562747265652f76310a00127769746e6573732e6578616d706c652f7732000000006553f10013616d706572652e6578616d706c652f6c6f6731000000000000000000000000000000018a2a5c9b768827de5a9552c38a044c66959c68f6d2f21b5260af54d2f87db827'

const verifiers = createVerifiers()
const log = await signerOf('ampere.example/log1', 'Ed25519', 1)
const pqLog = await signerOf('ampere.example/log1', 'cosignature-ML-DSA-44', 1)
const witness = await signerOf('witness.example/w1', 'cosignature-Ed25519', 2)
const pqWitness = await signerOf('witness.example/w2', 'cosignature-ML-DSA-44', 3)
const WHOLE = { origin: CHECKPOINT.origin, start: 0, end: 1, hash: CHECKPOINT.root }

describe('the example of a log and its witnesses', () => {
  it('has the published Ed25519 keys and is signed in exactly the published bytes', async () => {
    expect([formatVerifierKey(log.key), formatVerifierKey(witness.key)]).toEqual([LOG_VKEY, WITNESS_VKEY])
    const note = await signCheckpoint(CHECKPOINT, [log], TIME)
    const cosignature = await signCheckpointText(witness, note.text, TIME)
    expect(formatNote({ ...note, signatures: [...note.signatures, cosignature] })).toBe(COSIGNED_NOTE)
  })

  it('opens with the published keys', async () => {
    const published = { logs: [parseVerifierKey(LOG_VKEY)], cosigners: [parseVerifierKey(WITNESS_VKEY)] }
    expect(await openCheckpoint(COSIGNED_NOTE, published, verifiers)).toEqual({
      checkpoint: CHECKPOINT,
      signedBy: [log.key],
      signedAt: [],
      cosignatures: [{ key: witness.key, time: TIME }],
    })
  })

  it('has the published ML-DSA-44 message, key and signature', async () => {
    expect(toHex(subtreeMessage('witness.example/w2', TIME, WHOLE))).toBe(MESSAGE)
    expect(toHex(uint32(pqWitness.key.id))).toBe('f0810786')
    expect(toHex(sha256(pqWitness.key.publicKey))).toMatch(/^df5b5f45.*f54b$/)
    const { id, blob } = await signCheckpointText(pqWitness, CHECKPOINT_TEXT, TIME)
    expect(toHex(sha256(blob.subarray(8)))).toBe(
      '0c7f2634c46ec4eba89cc00ad071d1fe70519d5d03ff7646a4b13fddf034be4a',
    )
    expect(toBase64(concat(uint32(id), blob))).toHaveLength(3244)
  })
})

describe('signatures of other implementations', () => {
  it('open: a checkpoint that torchwood’s tests submit, signed with ML-DSA-44 and no time', async () => {
    const { vkey, addCheckpoint } = tlogVectors.torchwood
    const { note } = parseAddCheckpoint(addCheckpoint)
    const known = { logs: [parseVerifierKey(vkey)], cosigners: [] }
    const opened = await openCheckpoint(note, known, verifiers)
    expect(opened.checkpoint).toMatchObject({ origin: 'example.com/mldsa-log', size: 1 })
    expect(opened.signedBy).toEqual(known.logs)
    const other = note.replace('\n1\n', '\n2\n')
    await expect(openCheckpoint(other, known, verifiers)).rejects.toMatchObject(SIGNATURE_INVALID)
  })

  it('verify: a subtree cosigned by torchwood, in the tests of transparency-dev/formats', async () => {
    const { vkey, hash, signature, ...part } = tlogVectors.subtree
    const key = parseVerifierKey(vkey)
    const [line] = parseSignatureLines(signature)
    const verify = (subtree: object) =>
      verifySubtree(key, { ...part, hash: fromBase64(hash), ...subtree }, line as NoteSignature, verifiers)
    expect(await verify({})).toEqual({ time: 0 })
    expect(await verify({ end: 12 })).toBeNull()
    expect(await verify({ origin: 'example.com/other' })).toBeNull()
    expect(await verify({ hash: new Uint8Array(32) })).toBeNull()
  })
})

describe('messages', () => {
  it('of Ed25519 cosignatures cover the whole text with its extensions', () => {
    const text = formatCheckpoint({ ...CHECKPOINT, extensions: ['more'] })
    expect(cosignatureMessage(text, TIME)).toEqual(utf8(`cosignature/v1\ntime 1700000000\n${text}`))
  })

  it.each([
    ['an end before the start', 'w', 0, { start: 2, end: 1 }],
    ['a time and a start', 'w', 1, { start: 1, end: 2 }],
    ['a negative time', 'w', -1, {}],
    ['a time that is no safe integer', 'w', 2 ** 53, {}],
    ['a fraction', 'w', 0, { end: 1.5 }],
    ['a hash of another length', 'w', 0, { hash: new Uint8Array(31) }],
    ['a name that is too long', 'w'.repeat(256), 0, {}],
    ['no name', '', 0, {}],
    ['an origin that is too long', 'w', 0, { origin: 'é'.repeat(128) }],
  ])('of subtrees are not made of %s', (_, name, time, change) => {
    expect(() => subtreeMessage(name, time, { ...WHOLE, ...change })).toThrow(
      expect.objectContaining(LOG_MALFORMED),
    )
  })
})

describe('cosignatures of parts of a tree', () => {
  const part = { origin: 'a', start: 8, end: 13, hash: new Uint8Array(32) }

  it('verify for that part and signer only', async () => {
    const signature = await signSubtree(pqWitness, part, 0)
    expect(await verifySubtree(pqWitness.key, part, signature, verifiers)).toEqual({ time: 0 })
    expect(await verifySubtree(pqWitness.key, { ...part, end: 14 }, signature, verifiers)).toBeNull()
    expect(await verifySubtree(pqLog.key, part, signature, verifiers)).toBeNull()
    for (const line of [
      { ...signature, name: 'w' },
      { ...signature, id: signature.id ^ 1 },
    ])
      expect(await verifySubtree(pqWitness.key, part, line, verifiers)).toBeNull()
  })

  it('are the same as those of checkpoints where the part is the whole tree', async () => {
    const signature = await signCheckpointText(pqWitness, CHECKPOINT_TEXT, TIME)
    expect(await verifySubtree(pqWitness.key, WHOLE, signature, verifiers)).toEqual({ time: TIME })
    const timeless = await signSubtree(pqWitness, WHOLE, 0)
    expect(await verifyCheckpointSignature(pqWitness.key, CHECKPOINT_TEXT, timeless, verifiers)).toEqual({
      time: 0,
    })
  })

  it('do not carry a time when they verify, unless they begin at leaf 0', async () => {
    const { blob, ...rest } = await signSubtree(pqWitness, part, 0)
    const timed = { ...rest, blob: concat(uint64(5), blob.subarray(8)) }
    expect(await verifySubtree(pqWitness.key, part, timed, verifiers)).toBeNull()
  })

  it.each([
    ['that no tree has', { start: 4, end: 12 }],
    ['that end before they begin', { start: 8, end: 7 }],
    ['without leaves and with a hash of some', { end: 8 }],
  ])('%s are refused', async (_, change) => {
    await expect(signSubtree(pqWitness, { ...part, ...change }, 0)).rejects.toMatchObject(LOG_MALFORMED)
    const none = { name: pqWitness.key.name, id: pqWitness.key.id, blob: new Uint8Array(2428) }
    await expect(verifySubtree(pqWitness.key, { ...part, ...change }, none, verifiers)).rejects.toMatchObject(
      LOG_MALFORMED,
    )
  })

  it('without leaves verify with the hash of none, and are of ML-DSA-44 only', async () => {
    const empty = { ...part, end: 8, hash: merkleRoot([]) }
    const signature = await signSubtree(pqWitness, empty, 0)
    expect(await verifySubtree(pqWitness.key, empty, signature, verifiers)).toEqual({ time: 0 })
    await expect(signSubtree(witness, part, 0)).rejects.toMatchObject(LOG_MALFORMED)
  })
})
