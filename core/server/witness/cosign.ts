// SPDX-License-Identifier: Apache-2.0
import { parseCheckpoint } from '../../log/note/checkpoint.ts'
import { signCheckpointText } from '../../log/note/cosignature.ts'
import { logSigner, type LogKey, type LogSigner } from '../../log/note/key.ts'
import { withSignatures, type NoteSignature, type SignedNote } from '../../log/note/note.ts'
import type { Cosigned } from './log-row.ts'
import type { WitnessPorts } from './needs.ts'

/** What is to be stored, and then answered. */
export interface NewCosignatures {
  readonly cosigned: Cosigned
  readonly signatures: readonly NoteSignature[]
  /** False when exactly this was cosigned already in the same second: then there is nothing to store. */
  readonly isNew: boolean
}

/** The keys of a witness, as policies name them: Ed25519 (0x04) and ML-DSA-44 (0x06) under one name. */
export function witnessKeys(ports: Pick<WitnessPorts, 'keys'>, name: string): LogKey[] {
  return witnessSigners(ports, name).map(({ key }) => key)
}

/**
 * Cosigns a checkpoint that was judged good, with both keys and one time: now, but never before the time at which this
 * log was cosigned last, so that a clock which is set back does not make newer trees look older.
 * @param note what the log signed, with no other signatures
 * @throws AmpereError KEY_UNAVAILABLE
 */
export async function cosign(
  ports: Pick<WitnessPorts, 'keys' | 'now'>,
  name: string,
  before: Cosigned | null,
  note: SignedNote,
): Promise<NewCosignatures> {
  const signers = witnessSigners(ports, name)
  const time = Math.max(1, before?.time ?? 0, Math.floor(ports.now() / 1000))
  const isSame = before?.note.text === note.text
  if (before && isSame && before.time === time) {
    // The same statement once more: it costs anybody nothing to ask, and a KMS something to answer.
    const signatures = signaturesBy(before.note, signers)
    if (signatures.length === signers.length) return { cosigned: before, signatures, isNew: false }
  }
  const signatures = await Promise.all(signers.map((signer) => signCheckpointText(signer, note.text, time)))
  // Whoever sends a checkpoint again with fewer of the log's signatures takes none away.
  const signed = before && isSame ? withSignatures(before.note, note.signatures) : note
  const cosigned = { checkpoint: parseCheckpoint(note.text), note: withSignatures(signed, signatures), time }
  return { cosigned, signatures, isNew: true }
}

function witnessSigners({ keys }: Pick<WitnessPorts, 'keys'>, name: string): LogSigner[] {
  return [
    logSigner(name, 'cosignature-Ed25519', keys.witness),
    logSigner(name, 'cosignature-ML-DSA-44', keys['witness-quantum']),
  ]
}

function signaturesBy({ signatures }: SignedNote, signers: readonly LogSigner[]): NoteSignature[] {
  return signers.flatMap(({ key }) => signatures.filter(({ name, id }) => name === key.name && id === key.id))
}
