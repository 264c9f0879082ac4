// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '../../bytes/ids.ts'
import type { ParsedBlock } from '../../block/open-block.ts'
import { copyChain, erasuresIn, type CopyContext } from '../copy/copy-chain.ts'
import { copyStatements } from '../copy/copy-statements.ts'
import { noteGap } from '../copy/gaps.ts'
import { chainsOf, type HomeSource } from '../copy/source.ts'
import { shredOrdered } from '../erase.ts'
import type { Home } from '../home.ts'
import type { FindReceipt } from '../read/receipt.ts'
import { keepMovedReceipt } from '../store/moved-receipts.ts'
import { loadHead, loadState } from '../store/rows.ts'
import { blocksElsewhere } from './elsewhere.ts'
import type { RestorePorts } from './needs.ts'
import { copyOwnRegistry, lossError, markForLog, openGaps } from './restore.ts'

/** The home that is received: where its chains are until their controllers move them. */
export interface LeftHome extends Pick<Home, 'deployment' | 'origin'> {
  readonly source: HomeSource
  /** Finds receipts in its log, which verifiers go on asking for. */
  readonly findReceipt: FindReceipt
}

/** What came over. */
export interface ReceiveReport {
  readonly chains: number
  readonly blocks: number
  /** Completed erasures, carried out here too. */
  readonly erasures: number
  /** Receipts of the other home's log that are kept. */
  readonly receipts: number
  /** Blocks that the other home never logged: of them there will be no receipt. */
  readonly unlogged: number
}

/** How a home is received. */
export interface ReceiveOptions {
  /** Is told how many blocks came over. */
  readonly received?: (blocks: number) => void
}

/**
 * Fills a home with the chains of another one, which its own log then logs from their beginnings, behind the registry.
 * Nothing of the other home is believed: the registry is folded from its pinned id, every block is verified by folding, every
 * part is what its block names, and what was erased is erased again. Of blocks from before a chain moved, only the receipts of
 * the log that they were in count: they are kept beside the chain. May be repeated, also when the other home went on, and goes
 * on where it was.
 * @throws AmpereError KEY_UNAVAILABLE when the registry gives this home another head key; VERIFICATION_FAILED with rule, chain and
 *   height for what is not as it was signed, or is missing and no erasure explains it
 */
export async function receiveHome(
  from: LeftHome,
  ports: RestorePorts,
  home: Home,
  options: ReceiveOptions = {},
): Promise<ReceiveReport> {
  const { source, deployment, origin } = from
  const registry = await copyOwnRegistry(
    source,
    ports,
    home,
    'the registry does not have the head key of this home at its origin',
  )
  let received = 0
  const context: CopyContext = {
    home: { deployment, origin },
    registry,
    verifiers: home.verifiers,
    refreshRegistry: async () => undefined,
    copied: () => options.received?.(++received),
  }
  const total = { chains: 0, blocks: 0, erasures: 0, receipts: 0, unlogged: 0 }
  for await (const chain of chainsOf(source)) {
    const head = (await headHere(ports, home, chain)) ?? (await copied(source, ports, context, chain))
    if (!head) continue
    const erasures = await erasuresIn(ports, chain)
    const [lost] = await openGaps(source, ports, chain, erasures)
    if (lost) throw lossError(lost)
    for (const ordered of erasures) await shredOrdered(ports, ordered)
    await copyStatements(source, ports, context, chain, home.origin)
    const { kept, unlogged } = await receiveReceipts(from, ports, home, chain)
    await markForLog(ports, chain, head)
    total.chains++
    total.blocks += head.block.height + 1
    total.erasures += erasures.length
    total.receipts += kept
    total.unlogged += unlogged
  }
  return total
}

/** The newest block of a chain that is here already, and goes on without the other home; else null. */
async function headHere(
  { tables }: RestorePorts,
  { deployment, origin }: Home,
  chain: ChainId,
): Promise<ParsedBlock | null> {
  const head = await loadHead(tables.blocks, chain)
  const named = head && (await loadState(tables.states, chain, head.block.state)).home
  return named?.deployment === deployment && named.origin === origin ? head : null
}

async function copied(
  source: HomeSource,
  ports: RestorePorts,
  context: CopyContext,
  chain: ChainId,
): Promise<ParsedBlock | null> {
  const { head } = await copyChain(source, ports, context, chain, async (gap) => noteGap(ports, gap))
  return head?.opened ?? null
}

/** Keeps the receipts of the blocks that are in another log. */
async function receiveReceipts(
  { findReceipt }: LeftHome,
  ports: RestorePorts,
  home: Home,
  chain: ChainId,
): Promise<{ readonly kept: number; readonly unlogged: number }> {
  let [kept, unlogged] = [0, 0]
  for await (const { height } of blocksElsewhere(ports, home, chain)) {
    const receipt = await findReceipt(chain, height)
    if (receipt) await keepMovedReceipt(ports.tables.receipts, chain, height, receipt)
    if (receipt) kept++
    else unlogged++
  }
  return { kept, unlogged }
}
