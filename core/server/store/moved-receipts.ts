// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { canonicalBytes, parseCanonical } from '../../bytes/canonical-json.ts'
import { fromUtf8, utf8 } from '../../bytes/encoding.ts'
import type { ChainId, Digest } from '../../bytes/ids.ts'
import { count, digest, parseWith } from '../../bytes/schema.ts'
import { digestOf } from '../../crypto/hash.ts'
import { AmpereError } from '../../errors.ts'
import { parseTlogProof } from '../../log/tlog-proof.ts'
import type { AppendTable, ReadTable, Row } from '../../ports/table.ts'
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
  const { note } = parseTlogProof(proof)
  const under = digestOf(utf8(note))
  await receipts.insert(chain, noteOf(under), utf8(note))
  const row = { v: 1, level, proof: proof.slice(0, -note.length), under }
  await receipts.insert(chain, placeOf(height, level), canonicalBytes(row))
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
  const { level, proof, under } = parseRow(row.value)
  const note = await receipts.get(chain, noteOf(under))
  if (!note || digestOf(note.value) !== under)
    throw new AmpereError('STORE_CORRUPT', 'the checkpoint of a kept receipt is missing or was changed')
  return { level, proof: proof + fromUtf8(note.value) }
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
