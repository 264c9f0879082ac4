// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { logIdOf } from '../../../api/log.ts'
import { FINDING_KINDS, type FindingKind } from '../../../api/lookup.ts'
import { canonicalBytes, canonicalize, parseCanonical } from '../../../bytes/canonical-json.ts'
import { count, parseWith, timestamp } from '../../../bytes/schema.ts'
import { toTimestamp, type Timestamp } from '../../../bytes/timestamp.ts'
import { AmpereError } from '../../../errors.ts'
import type { ReadTable, Row, WriteTable } from '../../../ports/table.ts'

/** Partition of the monitor's table with what speaks against logs. */
export const FINDINGS_PARTITION = 'findings'
/** Findings of each kind that are kept of one log; the first ones. Leads must not crowd out proofs. */
export const MAX_FINDINGS = 16

/**
 * What a monitor met. Proofs, because the log signed all of it: `same-size`, another root at the size of a checkpoint
 * that was shown before; `fork`, a larger tree that does not begin with a smaller one; `duplicate-label`, two leaves with
 * one label in one tree; `leaf-form`, a leaf that is no log entry. Leads: `rollback`, a smaller tree than was shown before
 * (an old copy somewhere shows the same); `root`, the entries that are served do not make the tree that was signed
 * (whoever is between can serve wrong entries).
 */
export type { FindingKind } from '../../../api/lookup.ts'

/** What there is to be shown to others: notes as they were signed, entries as they are in the tree of the first note. */
export interface Finding {
  readonly kind: FindingKind
  readonly origin: string
  /** Signed notes; with two of them the one that was shown first is first. */
  readonly notes: readonly string[]
  readonly leaves: readonly FoundLeaf[]
  /** With `fork`: the proof from the first note's size, made of the second one's tree, in base64url. */
  readonly hashes: readonly string[]
}

/** A log entry in the tree of the first note. */
export interface FoundLeaf {
  readonly index: number
  /** Base64url. */
  readonly entry: string
  /** Its inclusion proof in base64url; null where the log served neither tiles nor entries for it. */
  readonly proof: readonly string[] | null
}

/** A finding that is kept, with the monitor's time. */
export interface KeptFinding extends Finding {
  readonly time: Timestamp
}

const findingSchema = v.strictObject({
  v: v.literal(1),
  kind: v.picklist(FINDING_KINDS),
  time: timestamp,
  notes: v.array(v.string()),
  hashes: v.array(v.string()),
  leaves: v.array(
    v.strictObject({ index: count, entry: v.string(), proof: v.nullable(v.array(v.string())) }),
  ),
})

/**
 * Keeps a finding, unless the same is kept already or its kind has no place left. One with proofs takes the place of the
 * same without, or of any without where no place is left: a log must not choose what convicts it by hiding tiles once.
 */
export async function keepFinding(table: WriteTable, nowMs: number, finding: Finding): Promise<void> {
  const { origin, ...found } = finding
  const { kind } = found
  const value = canonicalBytes({ v: 1, ...found, time: toTimestamp(nowMs) })
  const key = (slot: number) => `${logIdOf(origin)}/${kind}/${String(slot).padStart(2, '0')}`
  let unproven: Row | null = null
  for (let slot = 0; slot < MAX_FINDINGS;) {
    const row = await table.get(FINDINGS_PARTITION, key(slot))
    if (row) {
      const kept = parseFinding(row, origin)
      const isReplaced = isProven(finding) && !isProven(kept)
      if (isSame(kept, finding)) {
        if (isReplaced) await table.swap(FINDINGS_PARTITION, row.key, row.version, value)
        return
      }
      if (isReplaced) unproven ??= row
      slot++
    }
    // A place that another monitor took in between is looked at again: it may hold the same.
    else if ((await table.insert(FINDINGS_PARTITION, key(slot), value)) === 'inserted') return
  }
  // Another monitor that was first has put one with proofs there as well.
  if (unproven) await table.swap(FINDINGS_PARTITION, unproven.key, unproven.version, value)
}

function isProven({ leaves }: Finding): boolean {
  return leaves.every(({ proof }) => proof !== null)
}

/** What is kept of a log, by kind, each in the order in which it came. @throws AmpereError STORE_CORRUPT */
export async function listFindings(table: ReadTable, origin: string): Promise<KeptFinding[]> {
  const logId = logIdOf(origin)
  const rows = await table.range(FINDINGS_PARTITION, { from: `${logId}/`, to: `${logId}0` })
  return rows.map((row) => parseFinding(row, origin))
}

/** The text of a note counts, not who signed it when: a log that is asked again signs anew. */
function isSame(a: Finding, b: Finding): boolean {
  const essence = ({ kind, notes, leaves }: Finding) =>
    canonicalize({
      kind,
      texts: notes.map((note) => note.split('\n\n')[0] ?? ''),
      leaves: leaves.map(({ index, entry }) => ({ index, entry })),
    })
  return essence(a) === essence(b)
}

function parseFinding(row: Row, origin: string): KeptFinding {
  try {
    const { v: _, ...finding } = parseWith(
      findingSchema,
      parseCanonical(row.value),
      'STORE_CORRUPT',
      'finding',
    )
    return { ...finding, origin }
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', 'a finding of the monitor was changed', { cause })
  }
}
