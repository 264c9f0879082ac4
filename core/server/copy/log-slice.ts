// SPDX-License-Identifier: Apache-2.0
import { equalBytes } from '../../bytes/frame.ts'
import { brokenRule, isAmpereError } from '../../errors.ts'
import type { Checkpoint } from '../../log/note/checkpoint.ts'
import { verifyConsistency } from '../../log/proof.ts'
import { decodeBundle } from '../../log/tile/bundle.ts'
import { bundlesBetween } from '../../log/tile/extent.ts'
import { rootOf, type Edge } from '../../log/tile/grow.ts'
import { bundlePath, parseBundlePath, parseTilePath, TILE_WIDTH, type BundleId } from '../../log/tile/path.ts'
import { consistencyFromTiles } from '../../log/tile/read.ts'
import type { ReadTile } from '../../log/tile/read-tile.ts'
import { storeSame } from '../sequence/apply.ts'
import { addEntries, type LogEdge } from '../sequence/commit.ts'
import type { HomeSource } from './source.ts'
import type { HomeStores } from './stores.ts'

/** Bundles that are copied at once: whoever serves a log costs no more memory than their entries take. */
export const SLICE_BUNDLES = 8
/** Bundles that are asked for at the same time. */
const AT_ONCE = 4

/**
 * Copies the next entries on the way to a tree that its log signed, with the tiles made of them. The tree so far is shown
 * to be the beginning of the signed one, and in the last slice to be it, before anything is stored. Partial tiles are stored for
 * the signed tree alone.
 * @param readTile of the source's tiles of the target
 * @throws AmpereError VERIFICATION_FAILED: rule log-forked, or log-withheld where the source lacks what it signed; LOG_MALFORMED, UPSTREAM_FAILED
 */
export async function takeSlice(
  source: HomeSource,
  to: HomeStores,
  known: LogEdge,
  target: Checkpoint,
  readTile: ReadTile,
): Promise<LogEdge> {
  const from = known.edge.size
  const end = Math.min(target.size, (Math.floor(from / TILE_WIDTH) + SLICE_BUNDLES) * TILE_WIDTH)
  const { files, ...grown } = addEntries(known, await fetchEntries(source, from, end))
  if (!(await isBeginning(grown.edge, target, readTile)))
    throw brokenRule(
      'log-forked',
      'the entries of the log are not those that it signed, or not after those before',
    )
  for (const { path, bytes } of files)
    if (end === target.size || isFull(path)) await storeSame(to.objects.log, path, bytes)
  return grown
}

async function fetchEntries(source: HomeSource, from: number, end: number): Promise<Uint8Array[]> {
  const ids = [...bundlesBetween(from, end)]
  const entries: Uint8Array[] = []
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    const bundles = await Promise.all(ids.slice(at, at + AT_ONCE).map((id) => fetchBundle(source, id)))
    entries.push(...bundles.flat())
  }
  return entries.slice(from % TILE_WIDTH)
}

/** A full one may have taken the place of the partial one since its tree was signed. */
async function fetchBundle(source: HomeSource, { index, width }: BundleId): Promise<Uint8Array[]> {
  const bytes = await source.logFile(bundlePath({ index, width }))
  // Copies, so that what is kept of a bundle does not keep the whole of it.
  if (bytes) return decodeBundle(bytes, width).map((entry) => entry.slice())
  if (width === TILE_WIDTH) throw withheld('a bundle')
  return (await fetchBundle(source, { index, width: TILE_WIDTH })).slice(0, width)
}

async function isBeginning(edge: Edge, { size, root }: Checkpoint, readTile: ReadTile): Promise<boolean> {
  const computed = rootOf(edge)
  if (edge.size === size) return equalBytes(computed, root)
  try {
    const proof = await consistencyFromTiles(edge.size, size, readTile)
    return verifyConsistency({ size1: edge.size, root1: computed, size2: size, root2: root, proof })
  } catch (error) {
    if (isAmpereError(error, 'NOT_FOUND')) throw withheld('a tile')
    throw error
  }
}

function isFull(path: string): boolean {
  return (parseBundlePath(path) ?? parseTilePath(path))?.width === TILE_WIDTH
}

function withheld(what: string): Error {
  return brokenRule('log-withheld', `${what} of the log is missing`)
}
