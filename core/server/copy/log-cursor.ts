// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { canonicalBytes, parseCanonical } from '../../bytes/canonical-json.ts'
import { fromBase64url, toBase64url } from '../../bytes/encoding.ts'
import { count, parseWith } from '../../bytes/schema.ts'
import type { Edge } from '../../log/tile/grow.ts'
import type { HomeStores } from './stores.ts'

/** Where the copy of a log is on its way to a larger tree. */
export interface LogCursor {
  /** The note of that tree, as its log signed it. */
  readonly target: string
  /** Right edge of what was copied and proved to be its beginning: of full bundles. */
  readonly edge: Edge
}

/** As it was read; `version` is what a swap compares, null for no row. */
export interface LoadedCursor {
  readonly cursor: LogCursor | null
  readonly version: string | null
}

/** Partition of the jobs of what is copied to, with one row. */
const PARTITION = 'log-copy'
const KEY = 'cursor'

const cursorSchema = v.strictObject({
  v: v.literal(1),
  target: v.string(),
  size: count,
  levels: v.array(v.string()),
})

/** The way that a run left, or none. @throws AmpereError STORE_CORRUPT */
export async function loadCursor({ tables }: HomeStores): Promise<LoadedCursor> {
  const row = await tables.jobs.get(PARTITION, KEY)
  if (!row) return { cursor: null, version: null }
  const stored = parseWith(cursorSchema, parseCanonical(row.value), 'STORE_CORRUPT', 'log cursor')
  const { target, size, levels } = stored
  return { cursor: { target, edge: { size, levels: levels.map(fromBase64url) } }, version: row.version }
}

/** Notes how far the copy is, over what was read; null at the end of the way. @returns null when somebody else was first */
export async function swapCursor(
  { tables }: HomeStores,
  { version }: LoadedCursor,
  cursor: LogCursor | null,
): Promise<LoadedCursor | null> {
  if (cursor === null && version === null) return { cursor, version }
  const value =
    cursor &&
    canonicalBytes({
      v: 1,
      target: cursor.target,
      size: cursor.edge.size,
      levels: cursor.edge.levels.map(toBase64url),
    })
  const stored = await tables.jobs.swap(PARTITION, KEY, version, value)
  if (stored === null && cursor !== null) return null
  return { cursor, version: cursor && stored }
}
