// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '../../bytes/encoding.ts'
import type { BlockId, ChainId } from '../../bytes/ids.ts'
import type { Timestamp } from '../../bytes/timestamp.ts'
import type { EraseBlock } from '../../block/block.ts'
import type { OpenedBlock, ParsedBlock } from '../../block/open-block.ts'
import { registryLabelKey } from '../../block/leaf.ts'
import type { Link } from '../../chain/state.ts'
import { AmpereError, brokenRule } from '../../errors.ts'
import type { Policy } from '../../log/policy/definitions.ts'
import { createRegistryHistory, type RegistryHistory } from '../../registry/history.ts'
import { headKeyAt } from '../../registry/snapshot.ts'
import { shredOrdered } from '../erase.ts'
import type { Home } from '../home.ts'
import { copyParts } from '../copy/copy-block.ts'
import {
  broke,
  copyChain,
  copyRegistry,
  erasuresIn,
  isExplained,
  type CopyContext,
} from '../copy/copy-chain.ts'
import { copyStatements } from '../copy/copy-statements.ts'
import { closeGap, noteGap, notedGaps, type GapRule } from '../copy/gaps.ts'
import { allRows, chainsOf, type HomeSource } from '../copy/source.ts'
import { dirtyShard, markOf } from '../store/attempt.ts'
import { REGISTRY_PARTITION } from '../store/registry.ts'
import { BLOCKS_END, loadBlock } from '../store/rows.ts'
import { copyMovedReceipts } from './elsewhere.ts'
import type { RestorePorts } from './needs.ts'
import { restoreLeaves } from './chain-leaves.ts'
import { leafFinder } from './restore-leaves.ts'
import { restoreLog, type RestoredLog } from './restore-log.ts'

/** Something that was acknowledged and that the copy does not have. */
export interface Loss {
  readonly chain: ChainId
  readonly height: number
  /** `tail`: the log has a block of this height, or somebody saw it, and the copy ends before it; else the part that is missing. */
  readonly rule: 'tail' | GapRule
}

/** What came of a restore. */
export interface RestoreReport {
  readonly chains: number
  readonly blocks: number
  /** Completed erasures, carried out again. */
  readonly erasures: number
  readonly logSize: number
  /** When the log signed the newest tree of the copy, by its own keys: what it logged since is not in it. */
  readonly logSignedAt: Timestamp
  /** Log entries that belong to nothing that was restored: of chains that the copy was not granted to hold, or lost. */
  readonly unexplained: number
  /** What is known to be lost. */
  readonly losses: readonly Loss[]
  /**
   * Sizes of the checkpoints that the copy has as witnessed and that lack the quorum of the home's policy, left out: they were
   * cosigned under another policy, or the copy or who is before it took cosignatures away. Their blocks are witnessed anew, later.
   */
  readonly unwitnessed: readonly number[]
  /** Chains of which somebody saw a block, and that the copy does not have: never granted to hold, or withheld. */
  readonly notHeld: readonly ChainId[]
}

/** A block that was acknowledged. */
export interface KnownHead {
  readonly height: number
  readonly block: BlockId
}

/** How a restore is carried out. */
export interface RestoreOptions {
  /** Checkpoints of the home's log that witnesses, or anybody, kept. */
  readonly seen: readonly string[]
  /** Who witnesses the home's log; null where nobody does. */
  readonly policy: Policy | null
  /** The newest block that somebody saw the home acknowledge, by chain: of what a copy lacks, not all is in its log. */
  readonly known?: ReadonlyMap<ChainId, KnownHead>
  /** Is told how many blocks were restored. */
  readonly restored?: (blocks: number) => void
  /** Go on without what is known to be lost, and name it, instead of refusing. */
  readonly acceptLoss: boolean
}

/**
 * Fills an empty home from a copy. Nothing of the copy is believed: the registry is folded from its pinned id, the log is that
 * which this home's keys signed, every block is verified by folding and found in the log, every part is what its block
 * names, and what was erased is erased again. It may be repeated until it succeeds, and goes on where it was; a home must not
 * serve before. What was restored from another copy, or another state of it, is no beginning: then it is to be begun anew.
 * @throws AmpereError VERIFICATION_FAILED with rule, chain and height for what is not as it was signed, or is lost unless that
 * is accepted, also with rule `withheld` for entries of the log that belong to nothing that the copy has; KEY_UNAVAILABLE when the key file is another home's; ALREADY_EXISTS when what is there is no beginning of this
 */
export async function restoreHome(
  source: HomeSource,
  ports: RestorePorts,
  home: Home,
  options: RestoreOptions,
): Promise<RestoreReport> {
  const log = await restoreLog(source, ports, home, options.seen, options.policy)
  const registry = await restoreRegistry(source, ports, home, log)
  const total = { chains: 0, blocks: 0, erasures: 0 }
  let restored = 0
  const context: CopyContext = {
    home,
    registry,
    verifiers: home.verifiers,
    refreshRegistry: async () => undefined,
    copied: () => options.restored?.(++restored),
  }
  const losses: Loss[] = []
  const held = new Set<ChainId>()
  for await (const chain of chainsOf(source)) {
    const tail = await restoreLeaves(source, ports, log, chain)
    const lost: Loss[] = tail === null ? [] : [{ chain, height: tail, rule: 'tail' }]
    const { head } = await copyChain(source, ports, context, chain, async (gap) => noteGap(ports, gap))
    if (!head) continue
    held.add(chain)
    lost.push(...(await unseen(ports, head, options.known?.get(chain), lost)))
    const erasures = await erasuresIn(ports, chain)
    lost.push(...(await openGaps(source, ports, chain, erasures)))
    const [first] = lost
    if (first && !options.acceptLoss) throw lossError(first)
    for (const ordered of erasures) await shredOrdered(ports, ordered)
    await copyStatements(source, ports, context, chain)
    await copyMovedReceipts(source, ports, home, chain)
    await markForLog(ports, chain, head.opened)
    losses.push(...lost)
    total.chains++
    total.blocks += head.opened.block.height + 1
    total.erasures += erasures.length
  }
  const { size: logSize, signedAt: logSignedAt, unwitnessed } = log
  const notHeld = [...(options.known?.keys() ?? [])].filter((chain) => !held.has(chain))
  const unexplained = log.places.size
  if (!options.acceptLoss) checkWhole(unexplained, notHeld)
  return { ...total, logSize, logSignedAt, unexplained, losses, unwitnessed, notHeld }
}

/**
 * A chain that the copy leaves out shows by its entries in the log, and by those who saw it: nobody can tell one that it was
 * never granted to hold from one that it withholds. @throws AmpereError VERIFICATION_FAILED, rule `withheld`
 */
function checkWhole(unexplained: number, [first]: readonly ChainId[]): void {
  if (first !== undefined)
    throw brokenRule(
      'withheld',
      `chain ${first}: blocks of it were acknowledged, and the copy does not have it`,
    )
  if (unexplained === 0) return
  const what = `${unexplained} entries of the log belong to nothing that the copy has`
  throw brokenRule('withheld', `${what}: it was not granted to hold those chains, or leaves them out`)
}

/** The end of a chain that somebody saw acknowledged, where the log of the copy did not tell of it. */
async function unseen(
  { tables }: RestorePorts,
  { opened: { chain, block } }: Link,
  known: KnownHead | undefined,
  lost: readonly Loss[],
): Promise<readonly Loss[]> {
  if (!known) return []
  if (known.height > block.height)
    return lost.some(({ rule }) => rule === 'tail') ? [] : [{ chain, height: block.height + 1, rule: 'tail' }]
  const stored = await loadBlock(tables.blocks, chain, known.height)
  if (stored?.id === known.block) return []
  throw broke('forked', chain, known.height, 'another block was acknowledged than the copy has')
}

/** What the source does not have, asked for again, and no erasure explains. */
export async function openGaps(
  source: HomeSource,
  ports: RestorePorts,
  chain: ChainId,
  erasures: readonly ParsedBlock<EraseBlock>[],
): Promise<readonly Loss[]> {
  const open: Loss[] = []
  for (const gap of await notedGaps(ports, chain)) {
    if (await isExplained(ports, erasures, gap)) continue
    const opened = await loadBlock(ports.tables.blocks, chain, gap.height)
    const left = opened ? await copyParts(source, ports, { opened: opened as OpenedBlock }, erasures) : []
    if (left.some(({ rule }) => rule === gap.rule)) open.push(gap)
    else await closeGap(ports, gap)
  }
  return open
}

/**
 * The registry, which must say that this home's head key is its own.
 * @param otherwise what is said where it does not
 * @throws AmpereError KEY_UNAVAILABLE
 */
export async function copyOwnRegistry(
  source: HomeSource,
  ports: RestorePorts,
  { registry: { pinned }, verifiers, origin }: Home,
  otherwise: string,
): Promise<RegistryHistory> {
  const registry = createRegistryHistory(pinned, verifiers)
  await copyRegistry(source, ports, registry)
  if (headKeyAt(registry.newest(), ports.keys.head.kid, origin)) return registry
  throw new AmpereError('KEY_UNAVAILABLE', otherwise)
}

/** The same, and where in the log its blocks are. */
async function restoreRegistry(
  source: HomeSource,
  ports: RestorePorts,
  home: Home,
  log: RestoredLog,
): Promise<RegistryHistory> {
  const { pinned } = home.registry
  const otherwise = 'the key file has another head key than the registry gives this home'
  const registry = await copyOwnRegistry(source, ports, home, otherwise)
  const leaves = leafFinder(log, pinned)
  const key = registryLabelKey(pinned)
  for await (const row of allRows(ports.tables.registry, REGISTRY_PARTITION, { to: BLOCKS_END }))
    leaves.next(key, fromUtf8(row.value))
  if (leaves.hasLostNext(key))
    throw broke('tail', pinned as string as ChainId, registry.height() + 1, 'the registry')
  await leaves.store(ports.tables.leaves)
  return registry
}

/** What was acknowledged and not logged before the copy was made is logged by the restored home. */
export async function markForLog(
  { tables, now }: RestorePorts,
  chain: ChainId,
  head: ParsedBlock,
): Promise<void> {
  const mark = markOf(head, now())
  await tables.dirty.insert(dirtyShard(chain), mark.key, mark.value)
}

/** The refusal of a copy that lacks something which was acknowledged. */
export function lossError({ chain, height, rule }: Loss): AmpereError {
  const what =
    rule === 'tail'
      ? 'it was acknowledged, and the copy does not have it'
      : 'the copy does not have it as it was signed'
  return broke(rule, chain, height, what)
}
