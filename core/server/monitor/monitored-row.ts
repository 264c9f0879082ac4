// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { logIdOf } from '../../api/log.ts'
import { FINDING_KINDS, type FindingKind } from '../../api/lookup.ts'
import { canonicalBytes, parseCanonical } from '../../bytes/canonical-json.ts'
import { fromBase64url, toBase64url } from '../../bytes/encoding.ts'
import { equalBytes } from '../../bytes/frame.ts'
import { count, parseWith, timestamp } from '../../bytes/schema.ts'
import type { Timestamp } from '../../bytes/timestamp.ts'
import { AmpereError } from '../../errors.ts'
import { checkpointIn, type Checkpoint } from '../../log/note/checkpoint.ts'
import { EMPTY_EDGE, rootOf, type Edge } from '../../log/tile/grow.ts'
import type { ReadTable, Row, WriteTable } from '../../ports/table.ts'

/** Partition of the monitor's table with one row for each log. */
export const MONITORED_PARTITION = 'logs'

/** A checkpoint as its log signed it, with whoever cosigned. */
export interface Noted {
  readonly note: string
  readonly checkpoint: Checkpoint
}

/**
 * How far a monitor is with a log, all in one row: whoever swaps it has judged by exactly what it replaces, so several
 * monitors at once cannot mix two histories.
 */
export interface MonitoredLog {
  readonly origin: string
  /** The newest checkpoint whose tree was computed from its entries. */
  readonly verified: Noted | null
  /** The newest verified one that had the quorum of the monitor's policy; the same as `verified` where that has it. */
  readonly cosigned: Noted | null
  /**
   * A newer checkpoint whose entries are being copied. It is stored before the first of them, so that all who copy do
   * it from one tree, and a label that is found has one place.
   */
  readonly target: Noted | null
  /** Right edge of the tree of what was copied: of `verified`, or on the way to `target`. */
  readonly edge: Edge
  /** What the monitor stopped at when it looked last, until a look finds nothing against the log; null where it goes on. */
  readonly stopped: FindingKind | null
  /** How often it was begun anew, and when that was last. What is copied belongs to one generation. */
  readonly generation: number
  readonly begun: Timestamp | null
}

/** In which partitions what was copied of a log is: those of one generation are never read for another. */
export function copiedUnder({ origin, generation }: Pick<MonitoredLog, 'origin' | 'generation'>): string {
  return generation === 0 ? logIdOf(origin) : `${logIdOf(origin)}-${generation}`
}

/** As it was read; `version` is what a swap compares, null for no row. */
export interface LoadedMonitored {
  readonly log: MonitoredLog
  readonly version: string | null
}

const rowSchema = v.strictObject({
  v: v.literal(1),
  origin: v.string(),
  verified: v.nullable(v.string()),
  /** True: as `verified`. */
  cosigned: v.union([v.literal(true), v.nullable(v.string())]),
  target: v.nullable(v.string()),
  size: count,
  levels: v.array(v.string()),
  stopped: v.optional(v.picklist(FINDING_KINDS)),
  anew: v.optional(v.strictObject({ generation: count, begun: timestamp })),
})

/** How far a log is; nothing yet where there is no row. @throws AmpereError STORE_CORRUPT */
export async function loadMonitored(table: ReadTable, origin: string): Promise<LoadedMonitored> {
  const found = await findMonitored(table, logIdOf(origin))
  return found ?? { log: nothingOf(origin), version: null }
}

/** A log of which nothing was copied yet. */
export function nothingOf(origin: string): MonitoredLog {
  const nothing = { verified: null, cosigned: null, target: null, edge: EMPTY_EDGE }
  return { origin, ...nothing, stopped: null, generation: 0, begun: null }
}

/** The row of a log by its id, or null. @throws AmpereError STORE_CORRUPT */
export async function findMonitored(table: ReadTable, logId: string): Promise<LoadedMonitored | null> {
  const row = await table.get(MONITORED_PARTITION, logId)
  return row && { log: parseRow(row), version: row.version }
}

/**
 * Stores what comes next over what was read.
 * @returns what is stored now, or null when somebody else was first; then nothing was stored
 * @throws whatever the table throws; then it is not known whether it was stored
 */
export async function swapMonitored(
  table: WriteTable,
  { version }: LoadedMonitored,
  log: MonitoredLog,
): Promise<LoadedMonitored | null> {
  const { origin, verified, cosigned, target, edge, stopped, generation, begun } = log
  const value = canonicalBytes({
    v: 1,
    origin,
    verified: verified?.note ?? null,
    cosigned: cosigned !== null && cosigned.note === verified?.note ? true : (cosigned?.note ?? null),
    target: target?.note ?? null,
    size: edge.size,
    levels: edge.levels.map(toBase64url),
    ...(stopped === null ? {} : { stopped }),
    ...(begun === null ? {} : { anew: { generation, begun } }),
  })
  const stored = await table.swap(MONITORED_PARTITION, logIdOf(origin), version, value)
  return stored === null ? null : { log, version: stored }
}

/** A note with the checkpoint in it. @throws AmpereError LOG_MALFORMED */
export function noted(note: string): Noted {
  return { note, checkpoint: checkpointIn(note) }
}

function parseRow(row: Row): MonitoredLog {
  try {
    const { origin, size, levels, ...stored } = parseWith(
      rowSchema,
      parseCanonical(row.value),
      'STORE_CORRUPT',
      'monitored log',
    )
    const verified = stored.verified === null ? null : noted(stored.verified)
    const other = typeof stored.cosigned === 'string' ? noted(stored.cosigned) : null
    const log = {
      origin,
      verified,
      cosigned: stored.cosigned === true ? verified : other,
      target: stored.target === null ? null : noted(stored.target),
      edge: { size, levels: levels.map(fromBase64url) },
      stopped: stored.stopped ?? null,
      generation: stored.anew?.generation ?? 0,
      begun: stored.anew?.begun ?? null,
    }
    check(row.key, log)
    return log
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', 'a row of the monitor was changed', { cause })
  }
}

function check(key: string, { origin, verified, cosigned, target, edge }: MonitoredLog): void {
  const notes = [verified, cosigned, target].filter((each) => each !== null)
  const isOwn = logIdOf(origin) === key && notes.every(({ checkpoint }) => checkpoint.origin === origin)
  // Where nothing is being copied, the edge is that of a tree whose root the log signed.
  const isWhole = target !== null || isEdgeOf(edge, verified?.checkpoint ?? null)
  if (!isOwn || !isWhole) throw new AmpereError('STORE_CORRUPT', 'the parts of a row do not fit each other')
}

function isEdgeOf(edge: Edge, checkpoint: Checkpoint | null): boolean {
  if (!checkpoint) return edge.size === 0
  return edge.size === checkpoint.size && equalBytes(rootOf(edge), checkpoint.root)
}
