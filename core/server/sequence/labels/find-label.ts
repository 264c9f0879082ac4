// SPDX-License-Identifier: Apache-2.0
import { toBase64url } from '../../../bytes/encoding.ts'
import { equalBytes } from '../../../bytes/frame.ts'
import { CLOCK_TOLERANCE_MS } from '../../../api/limits.ts'
import { decodeLeaf } from '../../../block/leaf.ts'
import { AmpereError, isAmpereError } from '../../../errors.ts'
import { leafHash } from '../../../log/merkle.ts'
import { decodeBundle } from '../../../log/tile/bundle.ts'
import { bundlePath, TILE_WIDTH } from '../../../log/tile/path.ts'
import type { FetchObjects } from '../../../ports/objects.ts'
import { CLOCKS_DIFFER_MS } from '../../append/store-parts.ts'
import type { LogEdge } from '../commit.ts'
import type { LoadedTree } from '../tree.ts'
import { isAbsent } from './absent-leaf.ts'
import { labelPrefixes, mayHave, type LabelPrefixes } from './label-index.ts'
import { sizeBefore } from './past-sizes.ts'

/**
 * How long before the time in a block its leaf may be, in milliseconds: the home that took the block in was at most so far
 * from that time, and so are the clocks of its processes from each other.
 */
export const BEFORE_BLOCK_MS = CLOCK_TOLERANCE_MS + CLOCKS_DIFFER_MS
/**
 * Bundles whose labels are kept in memory, 2 kB each: two million leaves, so that a run with new chains reads only what
 * was logged since the last one; older ones are read again whenever they are asked for.
 */
const KEPT_BUNDLES = 8192
/** Bundles that are read at the same time. */
const PARALLEL_BUNDLES = 32

/** The committed log in which a label is looked for. */
export type SearchedLog = LoadedTree & LogEdge

/** What is looked for. */
export interface SoughtEntry {
  readonly entry: Uint8Array
  /** Time of its block, in milliseconds. */
  readonly madeMs: number
  /**
   * True for the first block of a chain. Its label can be that of no other block, because the chain's id is the block's: so
   * where a bundle is lost, the hash of this very entry is enough to look for. At any other height there may have been
   * another block, under the same label, that was lost as well.
   */
  readonly isFirst: boolean
}

/** Looks for labels in the log itself. */
export interface LabelFinder {
  /**
   * True when the log has the label of this log entry. Reads what was logged since its block was made, and each bundle once.
   * @throws AmpereError STORE_CORRUPT when a part of that is missing or changed: then nobody can say
   */
  isLogged(log: SearchedLog, sought: SoughtEntry): Promise<boolean>
}

/** Makes a finder. What it remembers stays true whatever is committed, because nothing is ever taken out of a log. */
export function createLabelFinder(objects: FetchObjects): LabelFinder {
  const bundles = new Map<number, LabelPrefixes>()
  const found = new Set<string>()
  const prefixesOf = async (index: number, full: number): Promise<LabelPrefixes> => {
    const known = bundles.get(index)
    if (known) return known
    const prefixes = labelPrefixes(await readLabels(objects, index))
    if (index >= full - KEPT_BUNDLES) bundles.set(index, prefixes)
    return prefixes
  }
  return {
    isLogged: async ({ tree, edge, tail }, { entry, madeMs, isFirst }) => {
      const { size } = edge
      const { label } = decodeLeaf(entry)
      const name = toBase64url(label)
      const full = Math.floor(size / TILE_WIDTH)
      const hasLabel = async (index: number): Promise<boolean> => {
        try {
          if (!mayHave(await prefixesOf(index, full), label)) return false
          return (await readLabels(objects, index)).some((each) => equalBytes(each, label))
        } catch (error) {
          if (!isFirst || !isAmpereError(error, 'STORE_CORRUPT')) throw error
          if (await isAbsent(objects, edge, index, leafHash(entry))) return false
          throw error
        }
      }
      if (found.has(name) || tail.some((each) => equalBytes(decodeLeaf(each).label, label))) return true
      for (const index of bundles.keys()) if (index < full - KEPT_BUNDLES) bundles.delete(index)
      const sizes = [...tree.pastSizes, { signedAt: tree.signedAt, size }]
      const first = Math.floor(sizeBefore(sizes, (madeMs - BEFORE_BLOCK_MS) / 1000) / TILE_WIDTH)
      for (let at = first; at < full; at += PARALLEL_BUNDLES) {
        const indexes = Array.from({ length: Math.min(PARALLEL_BUNDLES, full - at) }, (_, i) => at + i)
        if (!(await Promise.all(indexes.map(hasLabel))).some(Boolean)) continue
        // Whoever asks about a damaged chain asks again and again.
        found.add(name)
        return true
      }
      return false
    },
  }
}

async function readLabels(objects: FetchObjects, index: number): Promise<readonly Uint8Array[]> {
  const path = bundlePath({ index, width: TILE_WIDTH })
  const bytes = await objects.fetch(path)
  try {
    if (bytes) return decodeBundle(bytes, TILE_WIDTH).map((entry) => decodeLeaf(entry).label)
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', `${path} of the log was changed`, { cause })
  }
  throw new AmpereError('STORE_CORRUPT', `${path} of the log is missing`)
}
