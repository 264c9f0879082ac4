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
import { formatVerifierKey, parseVerifierKey, type LogKeyType } from '#core/log/note/key.ts'
import { formatNote, parseSignatureLines, type NoteSignature, type SignedNote } from '#core/log/note/note.ts'
import { openCheckpoint, signCheckpoint, type KnownKeys } from '#core/log/note/open-checkpoint.ts'
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
const keys: KnownKeys = { logs: [log.key, pqLog.key], cosigners: [witness.key, pqWitness.key] }
const WHOLE = { origin: CHECKPOINT.origin, start: 0, end: 1, hash: CHECKPOINT.root }

const signed = await signCheckpoint(CHECKPOINT, [log, pqLog], TIME)
const cosigned: SignedNote = {
  ...signed,
  signatures: [
    ...signed.signatures,
    await signCheckpointText(witness, signed.text, TIME + 1),
    await signCheckpointText(pqWitness, signed.text, TIME + 2),
  ],
}
const flipped = (bytes: Uint8Array, at: number) => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))
const with1 = (
  note: SignedNote,
  at: number,
  change: (signature: NoteSignature) => NoteSignature,
): SignedNote => ({
  ...note,
  signatures: note.signatures.map((signature, i) => (i === at ? change(signature) : signature)),
})

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

describe('opening a checkpoint', () => {
  it('names the log’s keys that signed and every cosignature with its time', async () => {
    expect(await openCheckpoint(cosigned, keys, verifiers)).toEqual({
      checkpoint: CHECKPOINT,
      signedBy: [log.key, pqLog.key],
      cosignatures: [
        { key: witness.key, time: TIME + 1 },
        { key: pqWitness.key, time: TIME + 2 },
      ],
    })
    expect(await openCheckpoint(formatNote(cosigned), keys, verifiers)).toEqual(
      await openCheckpoint(utf8(formatNote(cosigned)), keys, verifiers),
    )
  })

  it('ignores who is not known, also where only the name or only the id is a known key’s', async () => {
    const { blob } = signed.signatures[0] as NoteSignature
    const strangers = [
      { name: log.key.name, id: log.key.id ^ 1, blob },
      { name: 'ampere.example/log2', id: log.key.id, blob },
      { name: 'x', id: 0, blob: Uint8Array.of(1) },
    ]
    const note = { ...signed, signatures: [...strangers, ...signed.signatures] }
    expect((await openCheckpoint(note, keys, verifiers)).signedBy).toEqual([log.key, pqLog.key])
    await expect(openCheckpoint({ ...signed, signatures: strangers }, keys, verifiers)).rejects.toMatchObject(
      SIGNATURE_INVALID,
    )
  })

  it.each([0, 1, 2, 3])(
    'refuses the whole note when signature %i is of a known key and does not verify',
    async (at) => {
      for (const byte of [0, 7, 8, 40, -1]) {
        const note = with1(cosigned, at, (one) => ({
          ...one,
          blob: flipped(one.blob, byte < 0 ? one.blob.length - 1 : byte),
        }))
        await expect(openCheckpoint(note, keys, verifiers)).rejects.toMatchObject(SIGNATURE_INVALID)
      }
      for (const blob of [Uint8Array.of(1), new Uint8Array(72), new Uint8Array(2428).fill(255)]) {
        const note = with1(cosigned, at, (one) => ({ ...one, blob }))
        await expect(openCheckpoint(note, keys, verifiers)).rejects.toMatchObject(SIGNATURE_INVALID)
      }
    },
  )

  it.each([
    ['origin', CHECKPOINT_TEXT.replace('log1', 'log2')],
    ['size', CHECKPOINT_TEXT.replace('\n1\n', '\n2\n')],
    ['root', CHECKPOINT_TEXT.replace('iipc', 'jipc')],
    ['extensions', `${CHECKPOINT_TEXT}more\n`],
  ])('refuses another %s', async (_, text) => {
    await expect(openCheckpoint({ ...cosigned, text }, keys, verifiers)).rejects.toMatchObject(
      SIGNATURE_INVALID,
    )
  })

  it('needs a key of the log, under the name that is the origin', async () => {
    const byWitness = { ...cosigned, signatures: cosigned.signatures.slice(2) }
    await expect(openCheckpoint(byWitness, keys, verifiers)).rejects.toMatchObject(SIGNATURE_INVALID)
    for (const type of ['Ed25519', 'cosignature-ML-DSA-44'] satisfies LogKeyType[]) {
      const other = await signerOf('ampere.example/log2', type, 5)
      const note = { text: signed.text, signatures: [await signCheckpointText(other, signed.text, TIME)] }
      await expect(
        openCheckpoint(note, { logs: [other.key], cosigners: [] }, verifiers),
      ).rejects.toMatchObject(SIGNATURE_INVALID)
    }
  })

  it('needs a signature of the log over its extension lines, which ML-DSA-44 leaves out', async () => {
    const text = formatCheckpoint({ ...CHECKPOINT, extensions: ['more'] })
    const byPq = { text, signatures: [await signCheckpointText(pqLog, text, TIME)] }
    await expect(openCheckpoint(byPq, keys, verifiers)).rejects.toMatchObject(SIGNATURE_INVALID)
    const byBoth = { text, signatures: [...byPq.signatures, await signCheckpointText(log, text, TIME)] }
    expect((await openCheckpoint(byBoth, keys, verifiers)).checkpoint.extensions).toEqual(['more'])
  })

  it('counts a key once, with the latest time, and verifies each of its signatures', async () => {
    const again = await signCheckpointText(witness, signed.text, TIME + 9)
    const note = { ...cosigned, signatures: [again, ...cosigned.signatures] }
    const { cosignatures } = await openCheckpoint(note, keys, verifiers)
    expect(cosignatures.filter(({ key }) => key === witness.key)).toEqual([
      { key: witness.key, time: TIME + 9 },
    ])
    const forged = with1(note, 0, (one) => ({ ...one, blob: flipped(one.blob, 9) }))
    await expect(openCheckpoint(forged, keys, verifiers)).rejects.toMatchObject(SIGNATURE_INVALID)
  })

  it('refuses a time beyond 2^53-1, which would become another number', async () => {
    const time = new Uint8Array(8).fill(255)
    const note = with1(cosigned, 2, (one) => ({ ...one, blob: concat(time, one.blob.subarray(8)) }))
    await expect(openCheckpoint(note, keys, verifiers)).rejects.toMatchObject(SIGNATURE_INVALID)
  })

  it('takes no signature of one type for one of another, though the key is the same', async () => {
    const asCosigner = await signerOf('ampere.example/log1', 'cosignature-Ed25519', 1)
    const { blob } = signed.signatures[0] as NoteSignature
    const note = {
      text: signed.text,
      signatures: [{ name: asCosigner.key.name, id: asCosigner.key.id, blob: concat(uint64(TIME), blob) }],
    }
    await expect(
      openCheckpoint(note, { logs: [asCosigner.key], cosigners: [] }, verifiers),
    ).rejects.toMatchObject(SIGNATURE_INVALID)
  })

  it('refuses known keys that could not be told apart, or that do not cosign', async () => {
    const collision = { ...witness.key, publicKey: log.key.publicKey }
    const wrong: KnownKeys[] = [
      { logs: keys.logs, cosigners: [witness.key, collision] },
      { logs: keys.logs, cosigners: [pqLog.key] },
      { logs: keys.logs, cosigners: [{ ...log.key, name: 'w' }] },
    ]
    for (const known of wrong)
      await expect(openCheckpoint(cosigned, known, verifiers)).rejects.toMatchObject(LOG_MALFORMED)
  })
})

describe('signing a checkpoint', () => {
  it('is refused without a signer, under another name, and at no time', async () => {
    const other = await signerOf('ampere.example/log2', 'Ed25519', 5)
    for (const [signers, time] of [
      [[], TIME],
      [[other], TIME],
      [[log], 0],
      [[log], 1.5],
      [[log], -1],
    ] as const)
      await expect(signCheckpoint(CHECKPOINT, signers, time)).rejects.toMatchObject(LOG_MALFORMED)
  })

  it('is refused of an empty tree with a root', async () => {
    const empty = { ...CHECKPOINT, size: 0 }
    await expect(signCheckpoint(empty, [log], TIME)).rejects.toMatchObject(LOG_MALFORMED)
    const note = await signCheckpoint({ ...empty, root: merkleRoot([]) }, [log, pqLog], TIME)
    expect((await openCheckpoint(note, keys, verifiers)).checkpoint.size).toBe(0)
  })

  it('of a text that is no checkpoint is refused', async () => {
    await expect(signCheckpointText(log, 'hello\n', TIME)).rejects.toMatchObject(LOG_MALFORMED)
  })
})
