// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { canonicalBytes, parseCanonical } from '../../../bytes/canonical-json.ts'
import { fromBase64url, toBase64url } from '../../../bytes/encoding.ts'
import { equalBytes } from '../../../bytes/frame.ts'
import type { ChainId } from '../../../bytes/ids.ts'
import { digest, parseWith, timestamp } from '../../../bytes/schema.ts'
import { timestampMs, toTimestamp, type Timestamp } from '../../../bytes/timestamp.ts'
import { isAmpereError } from '../../../errors.ts'
import { EMPTY_EDGE, edgeOf, rootOf, type Edge } from '../../../log/tile/grow.ts'
import { tileReader } from '../../../log/tile/read-tile.ts'
import type { AppendTable, ReadTable } from '../../../ports/table.ts'
import { MARK_LIFE_MS } from '../../sequence/marks/read-marks.ts'
import { attemptOf, CHAIN_CHARACTERS } from '../../store/attempt.ts'
import { heightKey } from '../../store/rows.ts'
import type { LogAuditPorts } from './needs.ts'
import type { LogNotes } from './report.ts'

/** Partition of the checkpoints table with what audits of the log passed, by size. */
export const AUDITED_PARTITION = 'audited'
const rowSchema = v.strictObject({ v: v.literal(1), root: digest, cursor: timestamp })

/** Where an audit of what is new begins. */
export interface Passed {
  readonly edge: Edge
  /** Chains with leaves after that have a mark since. */
  readonly cursor: Timestamp
}

/** The start of the log. */
export const NOTHING_PASSED: Passed = { edge: EMPTY_EDGE, cursor: toTimestamp(0) }

/**
 * The newest size that an audit passed, if the stored tiles still have the root that it had. Nothing of the row counts
 * for more than where to begin: the tree that is built from there must have the signed root.
 */
export async function loadPassed(ports: LogAuditPorts, size: number, notes: LogNotes): Promise<Passed> {
  const [row] = await ports.tables.checkpoints.range(AUDITED_PARTITION, { reverse: true, limit: 1 })
  if (!row) return NOTHING_PASSED
  const where = `checkpoints/${AUDITED_PARTITION}/${row.key}`
  try {
    const value = parseWith(rowSchema, parseCanonical(row.value), 'STORE_CORRUPT', 'audited row')
    const passed = Number(row.key)
    if (passed > size) {
      notes.find('rolled-back', 'missing', where, `${passed} leaves were audited, and there are ${size}`)
      return NOTHING_PASSED
    }
    const edge = await edgeOf(
      passed,
      tileReader((path) => ports.objects.log.fetch(path), passed),
    )
    if (equalBytes(rootOf(edge), fromBase64url(value.root))) return { edge, cursor: value.cursor }
    notes.find('audited-row', 'tampered', where, 'the log had another root when it was audited at this size')
  } catch (error) {
    if (!isAmpereError(error)) throw error
    notes.find('audited-row', 'tampered', where, 'what was audited cannot be read')
  }
  return NOTHING_PASSED
}

/** Notes a size that an audit passed. */
export async function notePassed(
  checkpoints: AppendTable,
  { size, root }: { readonly size: number; readonly root: Uint8Array },
  cursor: Timestamp,
): Promise<void> {
  const value = canonicalBytes({ v: 1, root: toBase64url(root), cursor })
  await checkpoints.insert(AUDITED_PARTITION, heightKey(size), value)
}

/**
 * Chains that were marked since: a block has a mark from before it was stored, and the sequencer that committed with this
 * cursor had logged whatever was marked earlier, but for marks that it would look at again.
 */
export async function* chainsSince(dirty: ReadTable, cursor: Timestamp): AsyncGenerator<ChainId> {
  const start = toTimestamp(Math.max(0, timestampMs(cursor) - MARK_LIFE_MS))
  for (const shard of CHAIN_CHARACTERS) {
    const chains = new Set<ChainId>()
    for (let from: string = start; ;) {
      const rows = await dirty.range(shard, { from })
      for (const row of rows) {
        const attempt = attemptOf(row)
        if (attempt) chains.add(attempt.chain)
      }
      const last = rows.at(-1)
      if (!last) break
      from = `${last.key}\u0000`
    }
    yield* chains
  }
}
