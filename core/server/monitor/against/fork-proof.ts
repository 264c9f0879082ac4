// SPDX-License-Identifier: Apache-2.0
import { toBase64url } from '../../../bytes/encoding.ts'
import { equalBytes } from '../../../bytes/frame.ts'
import { AmpereError, isAmpereError } from '../../../errors.ts'
import { splitOf } from '../../../log/merkle.ts'
import type { Checkpoint } from '../../../log/note/checkpoint.ts'
import { prefixRoot } from '../../../log/proof.ts'
import { consistencyFromTiles, rootFromTiles } from '../../../log/tile/read.ts'
import { EMPTY_EDGE } from '../../../log/tile/grow.ts'
import type { ReadTile } from '../../../log/tile/read-tile.ts'
import { tilesOf, type LogSource } from '../fetch-log.ts'
import { regrown } from './regrown.ts'

/**
 * What shows anybody that the larger of two signed trees does not begin with the smaller: a consistency proof made of
 * the larger one's own tiles, or of its entries where the log hides those, which leads to its root, and for the smaller size to another root than was signed.
 * @returns the hashes in base64url; null where the log does not serve them, or they show no such thing
 */
export async function forkProof(
  source: LogSource,
  small: Checkpoint,
  large: Checkpoint,
): Promise<readonly string[] | null> {
  if (small.size === 0 || small.size >= large.size) return null
  const shown = await shownBy(tilesOf(source, large.size), small, large)
  if (shown) return shown
  const read = await regrown(source, { edge: EMPTY_EDGE, tiles: [], kept: nothing }, large)
  return read && shownBy(read, small, large)
}

const nothing: ReadTile = () => Promise.reject(new AmpereError('UPSTREAM_FAILED', 'no tile was kept'))

async function shownBy(
  read: ReadTile,
  small: Checkpoint,
  large: Checkpoint,
): Promise<readonly string[] | null> {
  const [size1, size2] = [small.size, large.size]
  try {
    const hashes = await consistencyFromTiles(size1, size2, read)
    // RFC 9162 leaves out the root of the smaller tree where it is a node of the larger one: here that is what is shown.
    const isNode = splitOf(size1 + 1) === size1
    const proof = isNode ? [await rootFromTiles(size1, read), ...hashes] : hashes
    const root = prefixRoot({ size1, size2, root2: large.root, proof })
    return root && !equalBytes(root, small.root) ? proof.map(toBase64url) : null
  } catch (error) {
    if (isAmpereError(error, 'UPSTREAM_FAILED')) return null
    throw error
  }
}
