// SPDX-License-Identifier: Apache-2.0
import { leafHash } from '../../log/merkle.ts'
import { encodeBundle } from '../../log/tile/bundle.ts'
import { bundlesBetween } from '../../log/tile/extent.ts'
import { grow, rootOf, type Edge } from '../../log/tile/grow.ts'
import { bundlePath, TILE_WIDTH, tilePath } from '../../log/tile/path.ts'
import type { Timestamp } from '../../bytes/timestamp.ts'
import { storeSame } from './apply.ts'
import { pastSizes } from './labels/past-sizes.ts'
import type { SequencerPorts } from './needs.ts'
import type { PendingRun } from './pending.ts'
import { encodeStaging, stagingName, type LogFile, type LoggedRun, type Staging } from './staging.ts'
import { commitTree, loadTree, sealTree, signTreeNow, type LoadedTree, type Tree } from './tree.ts'

/** The right edge of the log: what is needed to add to it. */
export interface LogEdge {
  readonly edge: Edge
  /** Entries of the bundle at the right edge, while it is not full. */
  readonly tail: readonly Uint8Array[]
}

/** The log with more leaves, and what that takes. */
export interface GrownLog extends LogEdge {
  readonly staging: Staging
  readonly added: number
}

/** Adds runs in order: the blocks of each lie behind each other. */
export function growLog(before: LogEdge, runs: readonly PendingRun[]): GrownLog {
  const leaves = runs.flatMap((run) => run.blocks.map(({ entry }) => entry))
  const { files, ...grown } = addEntries(before, leaves)
  return { ...grown, staging: { files, runs: placed(runs, before.edge.size) }, added: leaves.length }
}

/** The edge of a log with more entries, and all tiles and bundles that the new size needs beyond the old one. */
export function addEntries(
  { edge, tail }: LogEdge,
  leaves: readonly Uint8Array[],
): LogEdge & { readonly files: readonly LogFile[] } {
  const grown = grow(edge, leaves.map(leafHash))
  const { size } = grown.edge
  const entries = [...tail, ...leaves]
  const first = edge.size - tail.length
  const files: LogFile[] = grown.tiles.map(({ id, bytes }) => ({ path: tilePath(id), bytes }))
  for (const { index, width } of bundlesBetween(edge.size, size)) {
    const from = index * TILE_WIDTH - first
    files.push({ path: bundlePath({ index, width }), bytes: encodeBundle(entries.slice(from, from + width)) })
  }
  return { edge: grown.edge, tail: entries.slice(entries.length - (size % TILE_WIDTH)), files }
}

/**
 * Stages, signs, commits.
 * @returns null when another sequencer was first; then nothing of this is logged
 * @throws AmpereError CLOCK_SKEW, and nothing is committed; whatever a port throws: then it is not known what was committed
 */
export async function commitLog(
  ports: SequencerPorts,
  before: LoadedTree,
  { edge, staging }: GrownLog,
  cursor: Timestamp,
): Promise<LoadedTree | null> {
  const { tree, version } = before
  const { origin } = tree.checkpoint
  const checkpoint = { origin, size: edge.size, root: rootOf(edge), extensions: [] }
  const name = stagingName(tree.checkpoint.size, checkpoint)
  // Removed by whoever came first with the same bundle, or by one that lost with it: this commit would be too late.
  if (!(await storeSame(ports.objects.staging, name, encodeStaging(staging)))) return null
  const { note, signedAt } = await signTreeNow(ports, checkpoint, tree.signedAt)
  const newest = { signedAt: tree.signedAt, size: tree.checkpoint.size }
  const next: Tree = await sealTree(ports, {
    checkpoint,
    note,
    signedAt,
    staging: name,
    discard: tree.staging,
    pastSizes: pastSizes(tree.pastSizes, newest, { signedAt }),
    cursor,
  })
  const committed = await commitTree(ports.tables.checkpoints, version, next)
  if (committed !== null) return { tree: next, version: committed }
  await discardLost(ports, name)
  return null
}

/** A bundle that lost is of no use: no commit from the same tree can succeed any more. */
async function discardLost(ports: SequencerPorts, name: string): Promise<void> {
  const winner = await loadTree(ports.tables.checkpoints)
  if (winner && winner.tree.staging !== name && winner.tree.discard !== name)
    await ports.objects.staging.shred(name)
}

function placed(runs: readonly PendingRun[], size: number): LoggedRun[] {
  let index = size
  return runs.map(({ chain, from, blocks }) => {
    index += blocks.length
    return { chain, from, count: blocks.length, index: index - blocks.length }
  })
}
