// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '../../bytes/encoding.ts'
import { MAX_NAME_BYTES } from './key.ts'
import { malformed, readDecimal, readHash, readLines, writeDecimal, writeHash } from './lines.ts'
import { checkNoteText, parseNote } from './note.ts'

/** What a checkpoint says, c2sp.org/tlog-checkpoint. */
export interface Checkpoint {
  /** Which log: unique, never empty. */
  readonly origin: string
  /** Leaves in the tree, 0..2^53-1. */
  readonly size: number
  /** Root of the tree of that size, 32 bytes. */
  readonly root: Uint8Array
  /** Opaque lines that no monitor can judge and that an ML-DSA-44 cosignature does not cover; ours has none. */
  readonly extensions: readonly string[]
}

/**
 * Reads the text of a checkpoint's note; what it accepts, `formatCheckpoint` writes in exactly the same bytes.
 * That a tree of size 0 has the root of no leaves is for whoever verifies.
 * @throws AmpereError LOG_MALFORMED
 */
export function parseCheckpoint(text: string): Checkpoint {
  checkNoteText(text)
  const [origin, size, root, ...extensions] = readLines(text, 'a checkpoint')
  if (origin === undefined || size === undefined || root === undefined)
    throw malformed('a checkpoint has fewer than three lines')
  checkOrigin(origin)
  if (extensions.includes('')) throw malformed('a checkpoint has an empty line')
  return {
    origin,
    size: readDecimal(size, 'the tree size of a checkpoint'),
    root: readHash(root, 'the root hash of a checkpoint'),
    extensions,
  }
}

/** The text of a checkpoint's note. @throws AmpereError LOG_MALFORMED for what would not be read back as the same */
export function formatCheckpoint({ origin, size, root, extensions }: Checkpoint): string {
  checkOrigin(origin)
  if (extensions.some((line) => line === '' || line.includes('\n')))
    throw malformed('an extension of a checkpoint is not one line')
  const lines = [
    origin,
    writeDecimal(size, 'the tree size of a checkpoint'),
    writeHash(root, 'the root hash of a checkpoint'),
    ...extensions,
  ]
  const text = `${lines.join('\n')}\n`
  checkNoteText(text)
  return text
}

/** The checkpoint of a whole note; its signatures are not looked at. @throws AmpereError LOG_MALFORMED */
export function checkpointIn(note: string): Checkpoint {
  return parseCheckpoint(parseNote(note).text)
}

/** The same text, if it is a checkpoint's note, signatures and all. @throws AmpereError LOG_MALFORMED */
export function checkCheckpointNote(note: string): string {
  checkpointIn(note)
  return note
}

function checkOrigin(origin: string): void {
  if (origin === '' || origin.includes('\n')) throw malformed('the origin of a checkpoint is not one line')
  if (utf8(origin).length > MAX_NAME_BYTES)
    throw malformed(`the origin of a checkpoint is longer than ${MAX_NAME_BYTES} bytes`)
}
