// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '#core/bytes/ids.ts'
import type { Block } from '#core/block/block.ts'
import type { ParsedBlock } from '#core/block/open-block.ts'
import { parseBlock } from '#core/block/open-block.ts'
import { foldBlocks } from '#core/chain/fold-blocks.ts'
import type { Link } from '#core/chain/state.ts'
import { readErasures } from '#core/client/acts/state-erased.ts'
import { checkComplete } from '#core/client/complete/completeness.ts'
import type { Completeness } from '#core/client/complete/monitor-words.ts'
import type { Connection } from '#core/client/connect.ts'
import { syncRegistry } from '#core/client/read/replica.ts'
import { checkMirrored, type MirrorWord } from '#core/client/mirrored/check-mirrored.ts'
import type { RecordView } from '#core/client/client.ts'
import { blockStatus, type BlockStatus, type Status } from './block-status.ts'
import { monitorProblems } from './completeness.ts'
import { authorOf, describeBlock } from './describe-block.ts'
import { mirrorProblems } from './mirrored.ts'
import { receiptsIfReadable } from './verify-chain.ts'
import { problemIn, type Problem } from './problem.ts'

/** One block as it is shown: what can be said without opening anything. */
export interface ShownBlock extends BlockStatus {
  readonly height: number
  readonly id: string
  readonly type: Block['type'] | 'unreadable'
  readonly time: string
  readonly author: string
  readonly does: string
}

/** A chain as it is shown, also where it does not verify: then as far as it does. */
export interface ShownChain {
  readonly blocks: readonly ShownBlock[]
  /** Null for a chain that does not verify. */
  readonly view: RecordView | null
  readonly problem: Problem | null
  /** As of when it is complete; null for a chain that does not verify. */
  readonly complete: Completeness | null
  /** What its mirrors say; nobody is asked of a chain that does not verify. */
  readonly mirrors: readonly MirrorWord[]
}

/** Reads and verifies a chain for showing. @throws AmpereError what has nothing to do with verifying */
export async function readShownChain(connection: Connection, chain: ChainId): Promise<ShownChain> {
  try {
    const view = await connection.read(chain)
    const progress = await readErasures(connection, chain)
    const replica = await connection.replica(chain)
    const { log, unread } = await receiptsIfReadable(connection, replica)
    const complete = await checkComplete(connection, replica, log)
    const mirrors = await checkMirrored(connection, replica)
    const compacts = await storedBlocks(connection, chain)
    const blocks = compacts.slice(0, view.height + 1).map(parseBlock)
    const shown = blocks.map((block, height) =>
      shownBlock(connection, block, blockStatus(view, height, progress, log)),
    )
    const [problem = null] = [
      ...unread.map((each) => ({ chain, ...each })),
      ...monitorProblems(chain, complete),
      ...mirrorProblems(chain, mirrors),
    ]
    return { blocks: shown, view, problem, complete, mirrors }
  } catch (error) {
    const problem = problemIn(error, chain)
    if (!problem) throw error
    return { ...(await readBroken(connection, chain, problem)), view: null, complete: null, mirrors: [] }
  }
}

/** Blocks up to the one that does not verify, that one, and how many more are stored after it. */
async function readBroken(
  connection: Connection,
  chain: ChainId,
  problem: Problem,
): Promise<Pick<ShownChain, 'blocks' | 'problem'>> {
  await syncRegistry(connection.sync)
  const { registry, verifiers } = connection.sync
  const compacts = await storedBlocks(connection, chain)
  const context = { chain, viewAt: registry.viewAt, keyOf: registry.keyOf, verifiers }
  const links: Link[] = []
  let broken: number | null = null
  for (let at = 0; at < compacts.length && broken === null; at += 500) {
    const folded = await foldBlocks(links.at(-1) ?? null, compacts.slice(at, at + 500), context)
    links.push(...folded.links)
    broken = folded.broken?.height ?? null
  }
  const blocks = links.map(({ opened }) => shownBlock(connection, opened, plain('not-checked', '')))
  for (let height = links.length; height < compacts.length; height++) {
    const status = plain(
      height === broken ? 'tampered' : 'not-checked',
      height === broken ? problem.rule : '',
    )
    blocks.push(unreadable(height, status))
  }
  return { blocks, problem: { ...problem, height: broken ?? problem.height } }
}

function plain(status: Status, rule: string): BlockStatus {
  return { status, logged: 'promised', entries: {}, rule }
}

function shownBlock(connection: Connection, parsed: ParsedBlock, status: BlockStatus): ShownBlock {
  const { block, id, kid } = parsed
  const { height, type, time } = block
  const author = authorOf(kid, connection.sync.registry.newest())
  return { height, id, type, time, author, does: describeBlock(block), ...status }
}

function unreadable(height: number, status: BlockStatus): ShownBlock {
  return { height, id: '', type: 'unreadable', time: '', author: '', does: '', ...status }
}

async function storedBlocks({ api }: Connection, chain: ChainId): Promise<string[]> {
  const compacts: string[] = []
  for (let from: number | null = 0; from !== null;) {
    const page = await api.blocks(chain, from)
    compacts.push(...page.items)
    from = page.next
  }
  return compacts
}
