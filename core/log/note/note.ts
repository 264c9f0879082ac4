// SPDX-License-Identifier: Apache-2.0
import { toBase64 } from '../../bytes/base64.ts'
import { concat, uint32 } from '../../bytes/frame.ts'
import { checkKeyName } from './key.ts'
import { malformed, readBase64, readLines, readText } from './lines.ts'

/** One signature line of a note: the key that is said to have made it, and what it made. */
export interface NoteSignature {
  readonly name: string
  /** uint32. */
  readonly id: number
  /** What follows the key ID; its form depends on the type of the key. */
  readonly blob: Uint8Array
}

/** A signed note, c2sp.org/signed-note. Nothing in it is to be believed before a signature was verified. */
export interface SignedNote {
  /** With its final newline; what signatures of notes cover. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** Signatures in a note. The specification asks for 16; a log and witnesses that sign twice each need more. */
export const MAX_NOTE_SIGNATURES = 64
/** Bytes of a note: more than 32 signatures of ML-DSA-44 (about 3.3 KB each in base64) beside 32 of Ed25519. */
export const MAX_NOTE_BYTES = 128 * 1024

const DASH = '\u2014 '
const KEY_ID_BYTES = 4

/**
 * Reads a note; what it accepts, `formatNote` writes in exactly the same bytes.
 * @throws AmpereError LOG_MALFORMED
 */
export function parseNote(input: string | Uint8Array): SignedNote {
  const note = readText(input, MAX_NOTE_BYTES, 'a note')
  // The text may hold empty lines, signature lines cannot: the last one separates.
  const end = note.lastIndexOf('\n\n')
  if (end < 0) throw malformed('a note has no empty line before its signatures')
  const text = note.slice(0, end + 1)
  checkNoteText(text)
  return { text, signatures: parseSignatureLines(note.slice(end + 2)) }
}

/** Writes a note. @throws AmpereError LOG_MALFORMED for what would not be read back as the same */
export function formatNote(note: SignedNote): string {
  checkNoteText(note.text)
  const written = `${note.text}\n${formatSignatureLines(note.signatures)}`
  return readText(written, MAX_NOTE_BYTES, 'a note')
}

/** One or more signature lines, each with its newline, none twice. @throws AmpereError LOG_MALFORMED */
export function parseSignatureLines(text: string): NoteSignature[] {
  const lines = readLines(text, 'the list of signatures')
  if (lines.length > MAX_NOTE_SIGNATURES)
    throw malformed(`a note has more than ${MAX_NOTE_SIGNATURES} signatures`)
  if (new Set(lines).size < lines.length) throw malformed('a note has a signature twice')
  return lines.map(parseSignatureLine)
}

/** The signature lines, each with its newline. @throws AmpereError LOG_MALFORMED */
export function formatSignatureLines(signatures: readonly NoteSignature[]): string {
  if (signatures.length === 0 || signatures.length > MAX_NOTE_SIGNATURES)
    throw malformed(`a note does not have 1 to ${MAX_NOTE_SIGNATURES} signatures`)
  const lines = signatures.map(formatSignatureLine)
  if (new Set(lines).size < lines.length) throw malformed('a note has a signature twice')
  return lines.join('')
}

/**
 * The note with more signatures. One by a key that signed before takes the earlier one's place, so that a
 * checkpoint that is cosigned every hour does not grow.
 */
export function withSignatures(note: SignedNote, signatures: readonly NoteSignature[]): SignedNote {
  const all = [...note.signatures]
  for (const signature of signatures) {
    const at = all.findIndex(({ name, id }) => name === signature.name && id === signature.id)
    if (at < 0) all.push(signature)
    else all[at] = signature
  }
  return { text: note.text, signatures: all }
}

/** @throws AmpereError LOG_MALFORMED for a text that no note can carry */
export function checkNoteText(text: string): void {
  if (!text.endsWith('\n')) throw malformed('the text of a note does not end with a newline')
  // oxlint-disable-next-line no-control-regex -- signed-note forbids exactly these
  if (/[\0-\x09\x0b-\x1f]/.test(text)) throw malformed('the text of a note has a control character')
  if (!text.isWellFormed()) throw malformed('the text of a note is not UTF-8')
}

function parseSignatureLine(line: string): NoteSignature {
  const space = line.indexOf(' ', DASH.length)
  if (!line.startsWith(DASH) || space < 0)
    throw malformed('a signature line is not an em dash, a key name and a signature')
  const name = line.slice(DASH.length, space)
  checkKeyName(name)
  const bytes = readBase64(line.slice(space + 1), 'a signature')
  if (bytes.length <= KEY_ID_BYTES) throw malformed('a signature is too short for a key ID and a signature')
  return { name, id: new DataView(bytes.buffer).getUint32(0), blob: bytes.slice(KEY_ID_BYTES) }
}

function formatSignatureLine({ name, id, blob }: NoteSignature): string {
  checkKeyName(name)
  if (blob.length === 0) throw malformed('a signature is empty')
  if (!Number.isInteger(id) || id < 0 || id > 0xffffffff) throw malformed('a key ID is not a uint32')
  return `${DASH}${name} ${toBase64(concat(uint32(id), blob))}\n`
}
