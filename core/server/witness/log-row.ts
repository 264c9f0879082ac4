// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { canonicalBytes, parseCanonical } from '../../bytes/canonical-json.ts'
import { count, parseWith } from '../../bytes/schema.ts'
import { logIdOf } from '../../api/log.ts'
import { AmpereError } from '../../errors.ts'
import { parseCheckpoint, type Checkpoint } from '../../log/note/checkpoint.ts'
import { formatVerifierKey, parseVerifierKey, type LogKey } from '../../log/note/key.ts'
import { formatNote, parseNote, type SignedNote } from '../../log/note/note.ts'
import type { ReadTable, Row, WriteTable } from '../../ports/table.ts'

export { logIdOf } from '../../api/log.ts'

/** Partition of the witness table with one row for each log. */
export const LOGS_PARTITION = 'logs'

/**
 * A log as its witness knows it, all in one row: what is compared with a request is what the swap compares, so that
 * no request can be judged by one state and stored over another.
 */
export interface WitnessedLog {
  readonly origin: string
  /** Keys of which one must have signed; none once the log was removed. */
  readonly keys: readonly LogKey[]
  /** What was cosigned last; outlives the removal of the log. */
  readonly cosigned: Cosigned | null
}

/** The largest tree that was cosigned. */
export interface Cosigned {
  readonly checkpoint: Checkpoint
  /** With the signatures of the log's keys and our cosignatures. */
  readonly note: SignedNote
  /** POSIX seconds of our newest cosignatures. */
  readonly time: number
}

/** As it was read; `version` is what a swap compares. */
export interface LoadedLog {
  readonly log: WitnessedLog
  readonly version: string
}

const rowSchema = v.strictObject({
  v: v.literal(1),
  origin: v.string(),
  keys: v.array(v.string()),
  cosigned: v.nullable(v.strictObject({ time: count, note: v.string() })),
})

/** @throws AmpereError STORE_CORRUPT */
export async function loadLog(table: ReadTable, logId: string): Promise<LoadedLog | null> {
  const row = await table.get(LOGS_PARTITION, logId)
  return row && { log: parseLogRow(row), version: row.version }
}

/**
 * Stores a log over what was read (null: nothing).
 * @returns false when somebody else was first; then nothing was stored
 * @throws whatever the table throws; then it is not known whether it was stored
 */
export async function swapLog(
  table: WriteTable,
  expected: string | null,
  { origin, keys, cosigned }: WitnessedLog,
): Promise<boolean> {
  const value = canonicalBytes({
    v: 1,
    origin,
    keys: keys.map(formatVerifierKey),
    cosigned: cosigned && { time: cosigned.time, note: formatNote(cosigned.note) },
  })
  return (await table.swap(LOGS_PARTITION, logIdOf(origin), expected, value)) !== null
}

/** @throws AmpereError STORE_CORRUPT */
export function parseLogRow(row: Row): WitnessedLog {
  try {
    const { origin, keys, cosigned } = parseWith(
      rowSchema,
      parseCanonical(row.value),
      'STORE_CORRUPT',
      'log row',
    )
    if (logIdOf(origin) !== row.key) throw new AmpereError('STORE_CORRUPT', 'a log has the row of another')
    return { origin, keys: keys.map(parseVerifierKey), cosigned: cosigned && parseCosigned(origin, cosigned) }
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', 'a row of the witness was changed', { cause })
  }
}

function parseCosigned(origin: string, stored: { readonly time: number; readonly note: string }): Cosigned {
  const note = parseNote(stored.note)
  const checkpoint = parseCheckpoint(note.text)
  if (checkpoint.origin !== origin) throw new AmpereError('STORE_CORRUPT', 'a checkpoint is of another log')
  return { checkpoint, note, time: stored.time }
}
