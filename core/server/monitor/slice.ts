// SPDX-License-Identifier: Apache-2.0
import { decodeLeaf, encodeLeaf } from '../../block/leaf.ts'
import { toBase64url } from '../../bytes/encoding.ts'
import { equalBytes } from '../../bytes/frame.ts'
import { isAmpereError } from '../../errors.ts'
import { leafHash } from '../../log/merkle.ts'
import type { Checkpoint } from '../../log/note/checkpoint.ts'
import { verifyConsistency } from '../../log/proof.ts'
import { grow, rootOf, type Edge } from '../../log/tile/grow.ts'
import { TILE_WIDTH } from '../../log/tile/path.ts'
import { consistencyFromTiles } from '../../log/tile/read.ts'
import type { WriteTable } from '../../ports/table.ts'
import { fetchEntries, tilesOf, type LogSource } from './fetch-log.ts'
import type { Finding, FindingKind, FoundLeaf } from './against/findings.ts'
import { forkProof } from './against/fork-proof.ts'
import { withProofs } from './against/leaf-proofs.ts'
import { keepLabels, type PlacedLeaf } from './labels.ts'
import { copiedUnder, type MonitoredLog, type Noted } from './monitored-row.ts'
import { keepTiles, keptTiles } from './tiles.ts'

/** Leaves that are copied between two swaps: eight bundles. */
export const SLICE_LEAVES = 8 * TILE_WIDTH

/** What came of a slice: the edge that is to be stored, or what speaks against the log. */
export type Sliced =
  | { readonly edge: Edge; readonly finding: null }
  | { readonly edge: null; readonly finding: Finding }

/**
 * Copies the next leaves on the way to the target. Its tree is computed from the entries: in the last slice its root
 * is the signed one; before that, the tree so far is shown to be the beginning of the signed one. Only then are
 * labels stored, so that nobody but the log itself can put one into the index.
 * @throws AmpereError UPSTREAM_FAILED when what is needed is not served, STORE_UNAVAILABLE and its kin
 */
export async function takeSlice(
  table: WriteTable,
  source: LogSource,
  log: MonitoredLog,
  target: Noted,
): Promise<Sliced> {
  const from = log.edge.size
  const { size } = target.checkpoint
  const to = Math.min(size, Math.floor(from / TILE_WIDTH) * TILE_WIDTH + SLICE_LEAVES)
  const entries = await fetchEntries(source, from, to)
  const { edge, tiles } = grow(log.edge, entries.map(leafHash))
  if (!(await isPrefix(source, edge, target.checkpoint)))
    return { edge: null, finding: await anotherTree(source, log, target) }
  const under = copiedUnder(log)
  const against = async (kind: FindingKind, found: readonly Omit<FoundLeaf, 'proof'>[]): Promise<Sliced> => {
    const grown = { edge, tiles, kept: keptTiles(table, under, log.edge) }
    const proven = await withProofs(source, grown, found, target.checkpoint)
    return {
      edge: null,
      finding: { kind, origin: log.origin, notes: [target.note], leaves: proven, hashes: [] },
    }
  }
  const leaves = placedLeaves(entries, from)
  if (!Array.isArray(leaves)) return against('leaf-form', [leaves])
  const pair = await keepLabels(table, under, leaves)
  if (!pair) {
    await keepTiles(table, under, tiles)
    return { edge, finding: null }
  }
  const entriesOf = pair.map(({ index, leaf }) => ({ index, entry: toBase64url(encodeLeaf(leaf)) }))
  return against('duplicate-label', entriesOf)
}

async function isPrefix(source: LogSource, edge: Edge, { size, root }: Checkpoint): Promise<boolean> {
  const computed = rootOf(edge)
  if (edge.size === size) return equalBytes(computed, root)
  const proof = await consistencyFromTiles(edge.size, size, tilesOf(source, size))
  return verifyConsistency({ size1: edge.size, root1: computed, size2: size, root2: root, proof })
}

/** The leaves, or the first entry that is none. */
function placedLeaves(entries: readonly Uint8Array[], from: number): PlacedLeaf[] | Omit<FoundLeaf, 'proof'> {
  const leaves: PlacedLeaf[] = []
  for (const [i, entry] of entries.entries()) {
    try {
      leaves.push({ index: from + i, leaf: decodeLeaf(entry) })
    } catch (error) {
      if (!isAmpereError(error, 'LOG_MALFORMED')) throw error
      return { index: from + i, entry: toBase64url(entry) }
    }
  }
  return leaves
}

/** What is to be said of entries that do not lead to the target: its log's doing only if the tree itself shows that. */
async function anotherTree(
  source: LogSource,
  { origin, verified }: MonitoredLog,
  target: Noted,
): Promise<Finding> {
  const hashes = verified && (await forkProof(source, verified.checkpoint, target.checkpoint))
  const notes = verified ? [verified.note, target.note] : [target.note]
  return { kind: hashes ? 'fork' : 'root', origin, notes, leaves: [], hashes: hashes ?? [] }
}
