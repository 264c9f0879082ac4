// SPDX-License-Identifier: Apache-2.0
import { fromBase64url, toBase64url } from '../../../bytes/encoding.ts'
import { isAmpereError } from '../../../errors.ts'
import { leafHash } from '../../../log/merkle.ts'
import type { Checkpoint } from '../../../log/note/checkpoint.ts'
import { verifyInclusion } from '../../../log/proof.ts'
import { inclusionsFromTiles } from '../../../log/tile/read.ts'
import type { ReadTile } from '../../../log/tile/read-tile.ts'
import { tilesOf, type LogSource } from '../fetch-log.ts'
import type { FoundLeaf } from './findings.ts'
import { regrown, type Grown } from './regrown.ts'

type Entry = Omit<FoundLeaf, 'proof'>

/**
 * The entries with what shows others that they are in a signed tree: by what was copied of it, the log's tiles, or its
 * entries. Without a proof, all of them, only where the log serves neither of the two.
 * @param grown the tree's beginning, with the entries in it
 */
export async function withProofs(
  source: LogSource,
  grown: Grown,
  entries: readonly Entry[],
  tree: Checkpoint,
): Promise<readonly FoundLeaf[]> {
  const isWhole = grown.edge.size === tree.size
  const proofs =
    (isWhole ? null : await proofsBy(tilesOf(source, tree.size), entries, tree)) ??
    (await proofsBy(await regrown(source, grown, tree), entries, tree))
  return entries.map((entry, i) => ({ ...entry, proof: proofs?.[i]?.map(toBase64url) ?? null }))
}

/** Proofs that verify, or null: tiles that a log serves need not be those of the tree that it signed. */
async function proofsBy(
  read: ReadTile | null,
  entries: readonly Entry[],
  { size, root }: Checkpoint,
): Promise<Uint8Array[][] | null> {
  if (!read) return null
  const indexes = entries.map(({ index }) => index)
  try {
    const proofs = await inclusionsFromTiles(indexes, size, read)
    const isRight = entries.every(({ index, entry }, i) =>
      verifyInclusion({ leaf: leafHash(fromBase64url(entry)), index, size, proof: proofs[i] ?? [], root }),
    )
    return isRight ? proofs : null
  } catch (error) {
    if (isAmpereError(error, 'UPSTREAM_FAILED')) return null
    throw error
  }
}
