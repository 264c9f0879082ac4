// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { canonicalBytes, parseCanonical } from '../../bytes/canonical-json.ts'
import { fromUtf8, utf8 } from '../../bytes/encoding.ts'
import type { ChainId, Digest } from '../../bytes/ids.ts'
import { digest, parseWith } from '../../bytes/schema.ts'
import { digestOf } from '../../crypto/hash.ts'
import { AmpereError } from '../../errors.ts'
import { parseTlogProof } from '../../log/tlog-proof.ts'
import type { AppendTable, ReadTable } from '../../ports/table.ts'
import { heightKey } from './rows.ts'

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

const placeOf = (height: number) => `moved/${heightKey(height)}`
const noteOf = (name: Digest) => `moved-under/${name}`

/**
 * Keeps a receipt that came with a chain from its home before. Many stand under one checkpoint, which is kept once.
 * Safe to repeat: the first that is kept stays.
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
  await receipts.insert(chain, placeOf(height), canonicalBytes(row))
}

/** The receipt of a block from a home that its chain left; null for any other block. @throws AmpereError STORE_CORRUPT */
export async function movedReceipt(
  receipts: ReadTable,
  chain: ChainId | Digest,
  height: number,
): Promise<MovedReceipt | null> {
  const row = await receipts.get(chain, placeOf(height))
  if (!row) return null
  const { level, proof, under } = parseRow(row.value)
  const note = await receipts.get(chain, noteOf(under))
  if (!note || digestOf(note.value) !== under)
    throw new AmpereError('STORE_CORRUPT', 'the checkpoint of a kept receipt is missing or was changed')
  return { level, proof: proof + fromUtf8(note.value) }
}

function parseRow(value: Uint8Array): v.InferOutput<typeof rowSchema> {
  try {
    return parseWith(rowSchema, parseCanonical(value), 'STORE_CORRUPT', 'kept receipt')
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', 'a kept receipt was changed', { cause })
  }
}
