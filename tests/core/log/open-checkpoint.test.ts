// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { utf8 } from '#core/bytes/encoding.ts'
import { concat, uint64 } from '#core/bytes/frame.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { merkleRoot } from '#core/log/merkle.ts'
import { formatCheckpoint } from '#core/log/note/checkpoint.ts'
import { signCheckpointText } from '#core/log/note/cosignature.ts'
import type { LogKeyType } from '#core/log/note/key.ts'
import { formatNote, type NoteSignature, type SignedNote } from '#core/log/note/note.ts'
import { openCheckpoint, signCheckpoint, type KnownKeys } from '#core/log/note/open-checkpoint.ts'
import { CHECKPOINT, CHECKPOINT_TEXT, LOG_MALFORMED, signerOf, TIME } from './signers.ts'

const SIGNATURE_INVALID = { code: 'SIGNATURE_INVALID', name: 'AmpereError' }

const verifiers = createVerifiers()
const log = await signerOf('ampere.example/log1', 'Ed25519', 1)
const pqLog = await signerOf('ampere.example/log1', 'cosignature-ML-DSA-44', 1)
const witness = await signerOf('witness.example/w1', 'cosignature-Ed25519', 2)
const pqWitness = await signerOf('witness.example/w2', 'cosignature-ML-DSA-44', 3)
const keys: KnownKeys = { logs: [log.key, pqLog.key], cosigners: [witness.key, pqWitness.key] }

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

describe('opening a checkpoint', () => {
  it('names the log’s keys that signed and every cosignature with its time', async () => {
    expect(await openCheckpoint(cosigned, keys, verifiers)).toEqual({
      checkpoint: CHECKPOINT,
      signedBy: [log.key, pqLog.key],
      signedAt: [TIME],
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
