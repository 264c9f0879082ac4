// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { parseCanonical } from '../../bytes/canonical-json.ts'
import type { ChainId, Digest } from '../../bytes/ids.ts'
import { count, parseWith } from '../../bytes/schema.ts'
import { AmpereError } from '../../errors.ts'
import type { ReadTable, Row } from '../../ports/table.ts'
import { heightKey } from './rows.ts'

/** Partition of the checkpoints table with this log's own rows. */
export const LOG_PARTITION = 'log'
/** The committed tree, which sequencers compare and swap. */
export const TREE_KEY = 'tree'
/** The newest checkpoint whose tiles are all stored, with the cosignatures that it has: what the log serves. */
export const PUBLISHED_KEY = 'published'
/** Partition with every checkpoint that the quorum cosigned, by its size: first receipts are kept for ever. */
export const WITNESSED_PARTITION = 'witnessed'

/** The logged blocks of a chain are rows of consecutive heights at consecutive indexes, by their first height. */
export interface LoggedRow {
  readonly from: number
  readonly count: number
  readonly index: number
}

const rowSchema = v.strictObject({ v: v.literal(1), count, index: count })

/** @throws AmpereError STORE_CORRUPT */
export function parseLogged(row: Row): LoggedRow {
  try {
    const { count: blocks, index } = parseWith(
      rowSchema,
      parseCanonical(row.value),
      'STORE_CORRUPT',
      'logged row',
    )
    return { from: Number(row.key), count: blocks, index }
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', 'the position of logged blocks was changed', { cause })
  }
}

/** Height of the newest logged block of a chain or of the registry, -1 when there is none. */
export async function loggedHeight(leaves: ReadTable, chain: ChainId | Digest): Promise<number> {
  const [row] = await leaves.range(chain, { reverse: true, limit: 1 })
  if (!row) return -1
  const { from, count: blocks } = parseLogged(row)
  return from + blocks - 1
}

/** Index in the log of a block, or null while it is not logged. */
export async function logIndex(
  leaves: ReadTable,
  chain: ChainId | Digest,
  height: number,
): Promise<number | null> {
  const [row] = await leaves.range(chain, { to: heightKey(height + 1), reverse: true, limit: 1 })
  if (!row) return null
  const { from, count: blocks, index } = parseLogged(row)
  return height < from + blocks ? index + height - from : null
}
