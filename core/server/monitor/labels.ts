// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { canonicalBytes, parseCanonical } from '../../bytes/canonical-json.ts'
import { fromBase64url, toBase64url } from '../../bytes/encoding.ts'
import { equalBytes } from '../../bytes/frame.ts'
import type { Digest } from '../../bytes/ids.ts'
import { count, digest, parseWith } from '../../bytes/schema.ts'
import type { Leaf } from '../../block/leaf.ts'
import { AmpereError } from '../../errors.ts'
import type { ReadTable, Row, WriteTable } from '../../ports/table.ts'

/** A leaf and where it is. */
export interface PlacedLeaf {
  readonly index: number
  readonly leaf: Leaf
}

/** Rows that are inserted at once. */
const AT_ONCE = 256

const labelSchema = v.strictObject({ v: v.literal(1), index: count, hash: digest })

/** Partition of the monitor's table with the labels of a log, `copiedUnder`. */
export function labelsPartition(under: string): string {
  return `labels/${under}`
}

/**
 * Indexes leaves by their labels. Those that are there already at the same place are what an earlier run left.
 * @returns the first two leaves that share a label, or null
 */
export async function keepLabels(
  table: WriteTable,
  under: string,
  leaves: readonly PlacedLeaf[],
): Promise<readonly [PlacedLeaf, PlacedLeaf] | null> {
  const known = new Map<string, PlacedLeaf>()
  for (const placed of leaves) {
    const label = toBase64url(placed.leaf.label)
    const other = known.get(label)
    if (other) return [other, placed]
    known.set(label, placed)
  }
  for (let at = 0; at < leaves.length; at += AT_ONCE) {
    const kept = leaves.slice(at, at + AT_ONCE).map((placed) => keepLabel(table, under, placed))
    const pair = (await Promise.all(kept)).find((found) => found !== null)
    if (pair) return pair
  }
  return null
}

/** Where a label was found, or null. @throws AmpereError STORE_CORRUPT */
export async function findLabel(table: ReadTable, under: string, label: Digest): Promise<PlacedLeaf | null> {
  const row = await table.get(labelsPartition(under), label)
  return row && parseLabel(row)
}

async function keepLabel(
  table: WriteTable,
  under: string,
  placed: PlacedLeaf,
): Promise<readonly [PlacedLeaf, PlacedLeaf] | null> {
  const { index, leaf } = placed
  const partition = labelsPartition(under)
  const label = toBase64url(leaf.label) as Digest
  const value = canonicalBytes({ v: 1, index, hash: toBase64url(leaf.hash) })
  if ((await table.insert(partition, label, value)) === 'inserted') return null
  const other = await findLabel(table, under, label)
  if (!other) throw new AmpereError('STORE_CORRUPT', 'a label was removed from the index of a monitor')
  if (other.index !== index) return [other, placed]
  // Both are of one tree, which was verified: at one place there is one leaf.
  if (!equalBytes(other.leaf.hash, leaf.hash))
    throw new AmpereError('STORE_CORRUPT', 'a label in the index of a monitor is of another leaf')
  return null
}

function parseLabel(row: Row): PlacedLeaf {
  try {
    const { index, hash } = parseWith(labelSchema, parseCanonical(row.value), 'STORE_CORRUPT', 'label')
    return { index, leaf: { label: fromBase64url(row.key), hash: fromBase64url(hash) } }
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', 'a label in the index of a monitor was changed', { cause })
  }
}
