// SPDX-License-Identifier: Apache-2.0
import { encodeLeaf, leafLabel } from '#core/block/leaf.ts'
import { CHAIN_CHARACTERS } from '#core/server/store/attempt.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import type { Replica } from '#core/client/read/replica.ts'
import { sha256 } from '#core/crypto/hash.ts'
import type { Platform } from '#core/ports/needs.ts'
import { select } from '#core/ports/needs.ts'
import { apply } from '#core/server/sequence/apply.ts'
import { commitLog, growLog, type LogEdge } from '#core/server/sequence/commit.ts'
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'
import type { PendingRun } from '#core/server/sequence/pending.ts'
import { readEdge } from '#core/server/sequence/sequencer.ts'
import { commitTree, emptyTree, loadTree, type LoadedTree } from '#core/server/sequence/tree.ts'
import { heightKey } from '#core/server/store/rows.ts'
import type { TestDeployment } from '#tests/deployment.ts'

/** A label key: whose does not matter to how long it takes. */
const LABEL_KEY = new Uint8Array(32).fill(7)

/** Logs blocks that it takes at their word. */
export interface FloorLog {
  /** Logs what lies behind `chains` in the stores of `from`. @returns leaves that were added */
  run(from: Platform, chains: readonly Replica[]): Promise<number>
}

/**
 * What no sequencer of such a store can leave out: each mark and each block is read, a block is hashed for its id and for
 * its leaf and labelled, the tree grows, and the rows and files of a run are stored and committed, with both signatures.
 * Left out is all that makes a run worth a signature: no block is parsed, checked to be canonical, to be the one that
 * was admitted, or to follow the one before it.
 */
export async function floorLog(world: TestDeployment): Promise<FloorLog> {
  const ports = await select(world.platform, SEQUENCER_NEEDS)
  await commitTree(ports.tables.checkpoints, null, await emptyTree(ports, world.home, toTimestamp(0)))
  let tree = await loaded(ports)
  let at: LogEdge = await readEdge(ports, tree.tree.checkpoint)
  return {
    run: async (from, chains) => {
      await Promise.all(
        Array.from(CHAIN_CHARACTERS).map((shard) => from.table('dirty').range(shard, { reverse: true })),
      )
      const grown = growLog(at, await Promise.all(chains.map((chain) => unjudged(from, chain))))
      const committed = await commitLog(ports, tree, grown, tree.tree.cursor)
      if (!committed) throw new Error('the floor has one sequencer')
      await apply(ports, committed.tree, grown.staging)
      tree = committed
      at = grown
      return grown.added
    },
  }
}

async function loaded(ports: Parameters<typeof commitLog>[0]): Promise<LoadedTree> {
  const tree = await loadTree(ports.tables.checkpoints)
  if (!tree) throw new Error('the tree is not there after it was committed')
  return tree
}

async function unjudged(from: Platform, { chain, link }: Replica): Promise<PendingRun> {
  const first = link.opened.block.height + 1
  const rows = await from.table('blocks').range(chain, { from: heightKey(first) })
  const blocks = rows.map(({ value }, i) => {
    sha256(value.subarray(0, value.lastIndexOf(DOT)))
    const entry = encodeLeaf({ label: leafLabel(LABEL_KEY, chain, first + i), hash: sha256(value) })
    return { entry, position: { height: first + i, id: null, state: null } }
  })
  return { chain, from: first, madeMs: 0, blocks }
}

/** Before the signature in a compact JWS. */
const DOT = 0x2e
