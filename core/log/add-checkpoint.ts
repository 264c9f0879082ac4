// SPDX-License-Identifier: Apache-2.0
import { checkCheckpointNote } from './note/checkpoint.ts'
import {
  malformed,
  readDecimal,
  readLines,
  readProof,
  readText,
  writeDecimal,
  writeProof,
} from './note/lines.ts'
import { formatSignatureLines, MAX_NOTE_BYTES, parseSignatureLines, type NoteSignature } from './note/note.ts'

/** What a witness is asked to cosign, c2sp.org/tlog-witness "add-checkpoint". */
export interface AddCheckpoint {
  /** Size of the checkpoint that the witness is thought to have cosigned last; 0 where it is not known. */
  readonly oldSize: number
  /** Consistency proof from that size, at most 63 hashes; empty from size 0. */
  readonly hashes: readonly Uint8Array[]
  /** The checkpoint's note as its log signed it. */
  readonly note: string
}

/** Bytes of a request, as witnesses of transparency-dev cap it: two log signatures and a few others fit. */
export const MAX_ADD_CHECKPOINT_BYTES = 16 * 1024
/** Content-Type of the answer 409, whose body is the size that the witness has. */
export const SIZE_MEDIA_TYPE = 'text/x.tlog.size'

const OLD = 'old '
/** Digits of 2^53-1, and the newline. */
const MAX_SIZE_BODY_BYTES = 17

/**
 * Reads the body of a request; what it accepts, `formatAddCheckpoint` writes in exactly the same bytes. That the old
 * size is not above the checkpoint's is for the witness, which first asks whether it knows the log.
 * @throws AmpereError LOG_MALFORMED
 */
export function parseAddCheckpoint(
  input: string | Uint8Array,
  maxBytes: number = MAX_ADD_CHECKPOINT_BYTES,
): AddCheckpoint {
  const text = readText(input, maxBytes, 'a request to cosign')
  const end = text.indexOf('\n\n')
  if (end < 0) throw malformed('a request to cosign has no empty line before its checkpoint')
  const [old, ...hashes] = readLines(text.slice(0, end + 1), 'a request to cosign')
  if (!old?.startsWith(OLD)) throw malformed('a request to cosign has no old size')
  return {
    oldSize: readDecimal(old.slice(OLD.length), 'the old size'),
    hashes: readProof(hashes),
    note: checkCheckpointNote(text.slice(end + 2)),
  }
}

/** Writes the body of a request. @throws AmpereError LOG_MALFORMED for what would not be read back as the same */
export function formatAddCheckpoint(
  { oldSize, hashes, note }: AddCheckpoint,
  maxBytes: number = MAX_ADD_CHECKPOINT_BYTES,
): string {
  const old = `${OLD}${writeDecimal(oldSize, 'the old size')}\n`
  const text = `${old}${writeProof(hashes)}\n${checkCheckpointNote(note)}`
  return readText(text, maxBytes, 'a request to cosign')
}

/** Reads the body of the answer 200: one or more cosignatures, none verified. @throws AmpereError LOG_MALFORMED */
export function parseCosignatures(input: string | Uint8Array): NoteSignature[] {
  return parseSignatureLines(readText(input, MAX_NOTE_BYTES, 'an answer with cosignatures'))
}

/** Writes the body of the answer 200. @throws AmpereError LOG_MALFORMED */
export function formatCosignatures(signatures: readonly NoteSignature[]): string {
  return readText(formatSignatureLines(signatures), MAX_NOTE_BYTES, 'an answer with cosignatures')
}

/** Reads the body of the answer 409: the size that the witness cosigned last. @throws AmpereError LOG_MALFORMED */
export function parseSizeBody(input: string | Uint8Array): number {
  const text = readText(input, MAX_SIZE_BODY_BYTES, 'an answer with a size')
  const [size, ...rest] = readLines(text, 'an answer with a size')
  if (size === undefined || rest.length > 0) throw malformed('an answer with a size is not one line')
  return readDecimal(size, 'the size of an answer')
}

/** Writes the body of the answer 409. @throws AmpereError LOG_MALFORMED */
export function formatSizeBody(size: number): string {
  return `${writeDecimal(size, 'the size of an answer')}\n`
}
