// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { fromUtf8, utf8 } from '../../bytes/encoding.ts'
import { count } from '../../bytes/schema.ts'
import type { Row, WriteTable } from '../../ports/table.ts'

/** Chains that get new keys in a minute, at most, where nobody says otherwise: a home serves others meanwhile. */
export const CHAINS_PER_MINUTE = 120
/** The most that may be asked for. */
export const MAX_PER_MINUTE = 60_000

const ROW = { partition: 'rotation', key: 'job' } as const

const schema = v.strictObject({
  v: v.literal(1),
  /** What the registry had revoked when the round began. */
  mark: v.string(),
  /** When the round began, and ended; null while it goes on. In milliseconds since 1970, as all times here. */
  beganMs: count,
  endedMs: v.nullable(count),
  /** Name of the last patient's row that was done; empty at the beginning. */
  after: v.string(),
  /** Until when one process has the turn. */
  untilMs: count,
  paused: v.boolean(),
  perMinute: v.pipe(count, v.minValue(1), v.maxValue(MAX_PER_MINUTE)),
  /** When the minute began in which chains are counted, and how many got new keys in it. */
  minuteMs: count,
  inMinute: count,
  /** Of this round: records looked at, chains that got new keys here, and records of which not all could be done that wait for somebody here. */
  looked: count,
  rotated: count,
  open: count,
  /** Of all rounds: chains that got new keys here, and the time that took. */
  allRotated: count,
  spentMs: count,
})

/** How far the rotation of an institution's records has come. Says nothing of patients, so that it need not be sealed. */
export type RotationRow = v.InferOutput<typeof schema>

/** A row with the version by which it is replaced; null where there was none. */
export interface KeptRotation {
  readonly row: RotationRow
  readonly version: string | null
}

const NONE: RotationRow = {
  v: 1,
  mark: '',
  beganMs: 0,
  endedMs: 0,
  after: '',
  untilMs: 0,
  paused: false,
  perMinute: CHAINS_PER_MINUTE,
  minuteMs: 0,
  inMinute: 0,
  looked: 0,
  rotated: 0,
  open: 0,
  allRotated: 0,
  spentMs: 0,
}

/** The row as it is; as if nothing had been done where there is none, or one that cannot be read: a round says nothing that must be kept. */
export async function loadRotation(table: Pick<WriteTable, 'get'>): Promise<KeptRotation> {
  const kept = await table.get(ROW.partition, ROW.key)
  return { row: kept ? readRow(kept) : NONE, version: kept?.version ?? null }
}

/** Replaces the row. @returns its version, or null when another process did so first */
export function saveRotation(
  table: WriteTable,
  expected: string | null,
  row: RotationRow,
): Promise<string | null> {
  return table.swap(ROW.partition, ROW.key, expected, utf8(JSON.stringify(row)))
}

function readRow({ value }: Row): RotationRow {
  try {
    return v.parse(schema, JSON.parse(fromUtf8(value)))
  } catch {
    return NONE
  }
}
