// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { canonicalBytes, parseCanonical } from '../../bytes/canonical-json.ts'
import { fromUtf8, utf8 } from '../../bytes/encoding.ts'
import type { ChainId, Digest } from '../../bytes/ids.ts'
import { count, digest, parseWith } from '../../bytes/schema.ts'
import { digestOf } from '../../crypto/hash.ts'
import type { MovedAnswer } from '../../api/answers.ts'
import { MAX_PAGE_RECEIPTS } from '../../api/limits.ts'
import { AmpereError } from '../../errors.ts'
import { parseTlogProof } from '../../log/tlog-proof.ts'
import type { AppendTable, ReadTable, Row } from '../../ports/table.ts'
import { fitting } from './page.ts'
import { heightKey, rangeUnder } from './rows.ts'

/** A receipt of the log of a home that the chain left, and how far it went there. */
export interface MovedReceipt {
  readonly level: 'logged' | 'witnessed'
  /** The tlog-proof. */
  readonly proof: string
}

const rowSchema = v.strictObject({
  v: v.literal(1),
  level: v.picklist(['logged', 'witnessed']),
  proof: v.string(),
  under: digest,
})

/** All that is kept of one chain, as it is copied: rows, and the checkpoints that they stand under. */
export const movedReceiptsSchema = v.strictObject({
  receipts: v.array(v.strictObject({ height: count, row: rowSchema })),
  notes: v.array(v.string()),
})
export type MovedReceipts = v.InferOutput<typeof movedReceiptsSchema>

const MOVED = 'moved'
type Level = MovedReceipt['level']
const placeOf = (height: number, level: Level) => `${MOVED}/${heightKey(height)}/${level}`
const UNDER = 'moved-under'
const noteOf = (name: Digest) => `${UNDER}/${name}`

/**
 * Keeps a receipt that came with a chain from its home before. Many stand under one checkpoint, which is kept once.
 * Safe to repeat: of each level the first that is kept stays, so that a witnessed one that comes later is kept too.
 */
export async function keepMovedReceipt(
  receipts: AppendTable,
  chain: ChainId,
  height: number,
  { level, proof }: MovedReceipt,
): Promise<void> {
  await putMovedReceipts(receipts, chain, movedOf([{ height, level, proof }]))
}

/** Receipts as they are kept, of as they are given. @throws AmpereError LOG_MALFORMED for one that is none */
export function movedOf(given: readonly (MovedReceipt & { readonly height: number })[]): MovedReceipts {
  const notes = new Set<string>()
  const receipts = given.map(({ height, level, proof }) => {
    const { note } = parseTlogProof(proof)
    notes.add(note)
    const cut = proof.slice(0, -note.length)
    return { height, row: { v: 1 as const, level, proof: cut, under: digestOf(utf8(note)) } }
  })
  return { receipts, notes: [...notes] }
}

/** The receipt of a block from a home that its chain left, the witnessed one where both are kept; null without. @throws AmpereError STORE_CORRUPT */
export async function movedReceipt(
  receipts: ReadTable,
  chain: ChainId | Digest,
  height: number,
): Promise<MovedReceipt | null> {
  const row =
    (await receipts.get(chain, placeOf(height, 'witnessed'))) ??
    (await receipts.get(chain, placeOf(height, 'logged')))
  if (!row) return null
  return joined(receipts, chain, row)
}

/** A kept receipt with the checkpoint that it stands under. @throws AmpereError STORE_CORRUPT */
async function joined(table: ReadTable, chain: ChainId | Digest, row: Row): Promise<MovedReceipt> {
  const { level, proof, under } = parseRow(row.value)
  const note = await table.get(chain, noteOf(under))
  if (!note || digestOf(note.value) !== under)
    throw new AmpereError('STORE_CORRUPT', 'the checkpoint of a kept receipt is missing or was changed')
  return { level, proof: proof + fromUtf8(note.value) }
}

/** A page of those that are kept of a chain, from a height on; of a height both levels, or none. @throws AmpereError STORE_CORRUPT */
export async function movedPage(table: ReadTable, chain: ChainId, from: number): Promise<MovedAnswer> {
  const { to } = rangeUnder(MOVED)
  const asked = { from: `${MOVED}/${heightKey(from)}`, to, limit: MAX_PAGE_RECEIPTS + 1 }
  const rows = await table.range(chain, asked)
  const items: MovedAnswer['items'] = []
  for (const row of rows.slice(0, MAX_PAGE_RECEIPTS))
    items.push({ height: heightIn(row.key), ...(await joined(table, chain, row)) })
  const fit = fitting(items.map((item) => JSON.stringify(item))).length
  const cut = items[fit]?.height ?? (rows[fit] ? heightIn(rows[fit].key) : null)
  const whole = items.slice(0, fit).filter(({ height }) => height !== cut)
  // Two receipts always fit: `MAX_TLOG_PROOF_BYTES` bounds what is kept.
  return { items: whole, next: cut }
}

/** All receipts of other homes that are kept of a chain. @throws AmpereError STORE_CORRUPT */
export async function movedReceipts(table: ReadTable, chain: ChainId): Promise<MovedReceipts> {
  const [receipts, notes]: [MovedReceipts['receipts'], string[]] = [[], []]
  for await (const { key, value } of rowsUnder(table, chain, MOVED))
    receipts.push({ height: heightIn(key), row: parseRow(value) })
  for await (const { value } of rowsUnder(table, chain, UNDER)) notes.push(fromUtf8(value))
  return { receipts, notes }
}

/** Puts them beside another copy of the chain; whether they prove anything, readers judge. Safe to repeat. */
export async function putMovedReceipts(
  table: AppendTable,
  chain: ChainId,
  { receipts, notes }: MovedReceipts,
): Promise<void> {
  for (const note of notes) await table.insert(chain, noteOf(digestOf(utf8(note))), utf8(note))
  for (const { height, row } of receipts)
    await table.insert(chain, placeOf(height, row.level), canonicalBytes(row))
}

function heightIn(key: string): number {
  return Number(key.split('/')[1])
}

async function* rowsUnder(table: ReadTable, chain: ChainId, prefix: string): AsyncGenerator<Row> {
  const { from: first, to } = rangeUnder(prefix)
  for (let from = first; ;) {
    const rows = await table.range(chain, { from, to })
    yield* rows
    const last = rows.at(-1)
    if (!last) return
    from = `${last.key}\u0000`
  }
}

function parseRow(value: Uint8Array): v.InferOutput<typeof rowSchema> {
  try {
    return parseWith(rowSchema, parseCanonical(value), 'STORE_CORRUPT', 'kept receipt')
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', 'a kept receipt was changed', { cause })
  }
}
