// SPDX-License-Identifier: Apache-2.0
import { toBase64url } from '../../bytes/encoding.ts'
import { equalBytes } from '../../bytes/frame.ts'
import { isAmpereError } from '../../errors.ts'
import { splitOf } from '../../log/merkle.ts'
import type { Checkpoint } from '../../log/note/checkpoint.ts'
import { prefixRoot } from '../../log/proof.ts'
import { consistencyFromTiles, rootFromTiles } from '../../log/tile/read.ts'
import { tilesOf, type LogSource } from './fetch-log.ts'

/**
 * What shows anybody that the larger of two signed trees does not begin with the smaller: a consistency proof made of
 * the larger one's own tiles, which leads to its root, and for the smaller size to another root than was signed.
 * @returns the hashes in base64url; null where the log does not serve them, or they show no such thing
 */
export async function forkProof(
  source: LogSource,
  small: Checkpoint,
  large: Checkpoint,
): Promise<readonly string[] | null> {
  const [size1, size2] = [small.size, large.size]
  if (size1 === 0 || size1 >= size2) return null
  try {
    const read = tilesOf(source, size2)
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
