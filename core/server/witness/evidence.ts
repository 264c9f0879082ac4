// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import type { ContradictionsAnswer } from '../../api/log.ts'
import { canonicalBytes, parseCanonical } from '../../bytes/canonical-json.ts'
import { parseWith, timestamp } from '../../bytes/schema.ts'
import { toTimestamp, type Timestamp } from '../../bytes/timestamp.ts'
import { AmpereError } from '../../errors.ts'
import { checkpointIn } from '../../log/note/checkpoint.ts'
import { parseNote } from '../../log/note/note.ts'
import type { Row, WriteTable } from '../../ports/table.ts'
import type { Contradiction } from './judge.ts'
import { pageFrom } from '../store/page.ts'
import { loadLog, logIdOf } from './log-row.ts'
import type { WitnessTables } from './logs.ts'

/** Partition of the witness table with what speaks against logs. */
export const EVIDENCE_PARTITION = 'evidence'
/**
 * Pieces of each kind that are kept of one log; the first ones. Each kind has its own, because anybody can make leads
 * and must not crowd out proofs with them.
 */
export const MAX_EVIDENCE = 16

/** Two notes of one log that do not go together. */
export interface Evidence {
  readonly kind: Contradiction
  readonly origin: string
  /** When the second one came, by the witness's clock. */
  readonly time: Timestamp
  /** What was cosigned, with the log's signatures and ours. */
  readonly cosigned: string
  /** What came, with the log's signatures. */
  readonly refused: string
}

const evidenceSchema = v.strictObject({
  v: v.literal(1),
  kind: v.picklist(['same-size', 'unproved']),
  time: timestamp,
  cosigned: v.string(),
  refused: v.string(),
})

/** Keeps a piece of evidence, unless the same checkpoint is kept already or there is no place left. */
export async function keepEvidence(
  table: WriteTable,
  nowMs: number,
  { kind, origin, cosigned, refused }: Omit<Evidence, 'time'>,
): Promise<void> {
  const value = canonicalBytes({ v: 1, kind, time: toTimestamp(nowMs), cosigned, refused })
  const key = (slot: number) => keyOf(origin, kind, slot)
  if (await table.get(EVIDENCE_PARTITION, key(MAX_EVIDENCE - 1))) return
  for (let slot = 0; slot < MAX_EVIDENCE;) {
    const row = await table.get(EVIDENCE_PARTITION, key(slot))
    if (row && parseNote(parseEvidence(row, origin).refused).text === parseNote(refused).text) return
    if (row) slot++
    // A place that another request took in between is looked at again: it may hold the same.
    else if ((await table.insert(EVIDENCE_PARTITION, key(slot), value)) === 'inserted') return
  }
}

/** What speaks against a log, proofs first, each kind in the order in which it came. @throws AmpereError STORE_CORRUPT */
export async function listEvidence({ tables }: WitnessTables, origin: string): Promise<Evidence[]> {
  const logId = logIdOf(origin)
  const rows = await tables.witness.range(EVIDENCE_PARTITION, { from: `${logId}/`, to: `${logId}0` })
  return rows.map((row) => parseEvidence(row, origin))
}

/**
 * A page of what speaks against a log, for whoever makes evidence of it.
 * @param logId as `logIdOf` gives it
 * @throws AmpereError NOT_FOUND for a log that was never known here, STORE_CORRUPT
 */
export async function readContradictions(
  ports: WitnessTables,
  logId: string,
  from: number,
): Promise<ContradictionsAnswer> {
  const known = await loadLog(ports.tables.witness, logId)
  if (!known) throw new AmpereError('NOT_FOUND', 'no such log is known here')
  const all = await listEvidence(ports, known.log.origin)
  return pageFrom(
    all.map(({ kind, time, cosigned, refused }) => ({ kind, time, cosigned, refused })),
    from,
  )
}

function keyOf(origin: string, kind: Contradiction, slot: number): string {
  return `${logIdOf(origin)}/${kind}/${String(slot).padStart(2, '0')}`
}

function parseEvidence(row: Row, origin: string): Evidence {
  try {
    const { v: _, ...evidence } = parseWith(
      evidenceSchema,
      parseCanonical(row.value),
      'STORE_CORRUPT',
      'evidence row',
    )
    for (const note of [evidence.cosigned, evidence.refused])
      if (checkpointIn(note).origin !== origin)
        throw new AmpereError('STORE_CORRUPT', 'evidence is of another log')
    return { ...evidence, origin }
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', 'a row with evidence was changed', { cause })
  }
}
