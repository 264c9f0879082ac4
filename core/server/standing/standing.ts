// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { canonicalBytes, parseCanonical } from '../../bytes/canonical-json.ts'
import { parseWith, timestamp } from '../../bytes/schema.ts'
import { timestampMs, toTimestamp } from '../../bytes/timestamp.ts'
import { AmpereError } from '../../errors.ts'
import type { Now } from '../../ports/keys.ts'
import type { ReadTable, WriteTable } from '../../ports/table.ts'
import { LOG_PARTITION } from '../store/log.ts'

/** What reading how a home stands uses. */
export const STANDING_NEEDS = { tables: { checkpoints: 'read' }, objects: {}, keys: {} } as const

/** Key of the row, beside the committed tree. */
export const STANDING_KEY = 'standing'
/**
 * How old what the sequencer told may be, in milliseconds. Roles in processes of their own then sign nothing: whoever does not
 * look after the log for so long has promised to log what is acknowledged and does not, and may be a copy of a store.
 */
export const MAX_STANDING_MS = 300_000

/** How a home stands, as the role that looks after its log last saw it. */
export interface Standing {
  /** Witnesses showed that the stores are older than what the home signed. */
  readonly behind: boolean
  /** The last run wrote all that there was to log. */
  readonly logging: boolean
}

const schema = v.strictObject({
  v: v.literal(1),
  at: timestamp,
  behind: v.boolean(),
  logging: v.boolean(),
})

/**
 * Tells all other roles how the home stands. A row that another sequencer wrote meanwhile stays: it is as new.
 * @throws AmpereError STORE_UNAVAILABLE
 */
export async function tellStanding(
  {
    tables: { checkpoints },
    now,
  }: { readonly tables: { readonly checkpoints: WriteTable }; readonly now: Now },
  { behind, logging }: Standing,
): Promise<void> {
  const row = await checkpoints.get(LOG_PARTITION, STANDING_KEY)
  const bytes = canonicalBytes({ v: 1, at: toTimestamp(now()), behind, logging })
  await checkpoints.swap(LOG_PARTITION, STANDING_KEY, row?.version ?? null, bytes)
}

/**
 * How the home stands; null when nobody told within `MAX_STANDING_MS`, or told it for a time further ahead than that.
 * @throws AmpereError STORE_CORRUPT, STORE_UNAVAILABLE
 */
export async function readStanding(
  { tables: { checkpoints } }: { readonly tables: { readonly checkpoints: ReadTable } },
  nowMs: number,
): Promise<Standing | null> {
  const row = await checkpoints.get(LOG_PARTITION, STANDING_KEY)
  if (!row) return null
  const { at, behind, logging } = parseRow(row.value)
  return Math.abs(nowMs - timestampMs(at)) > MAX_STANDING_MS ? null : { behind, logging }
}

function parseRow(value: Uint8Array) {
  try {
    return parseWith(schema, parseCanonical(value), 'STORE_CORRUPT', 'standing')
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', 'what is told of how the home stands was changed', { cause })
  }
}
