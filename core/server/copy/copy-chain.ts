// SPDX-License-Identifier: Apache-2.0
import type { BlocksAnswer } from '../../api/answers.ts'
import type { ChainId } from '../../bytes/ids.ts'
import type { EraseBlock, Home } from '../../block/block.ts'
import { parseBlock, type OpenedBlock, type ParsedBlock } from '../../block/open-block.ts'
import { foldBlocks } from '../../chain/fold-blocks.ts'
import type { Link } from '../../chain/state.ts'
import type { Verifiers } from '../../crypto/signature.ts'
import { AmpereError } from '../../errors.ts'
import type { RegistryHistory } from '../../registry/history.ts'
import { utf8 } from '../../bytes/encoding.ts'
import { REGISTRY_PARTITION } from '../store/registry.ts'
import { JOBS_ERASE, parseErasureJob } from '../store/jobs.ts'
import { heightKey, loadBlock, loadHead, loadState, rangeUnder } from '../store/rows.ts'
import type { HomeStores } from './stores.ts'
import { copyBlock } from './copy-block.ts'
import type { Gap } from './gaps.ts'
import { allRows, type HomeSource } from './source.ts'

/** What verifying a chain while it is copied needs. */
export interface CopyContext {
  /** The home that is copied: chains of another one are none of it, whoever lists them. */
  readonly home: Pick<Home, 'deployment' | 'origin'>
  readonly registry: RegistryHistory
  readonly verifiers: Verifiers
  /** Takes in what is new in the registry; blocks may name it. */
  readonly refreshRegistry: () => Promise<void>
  /** True when no more blocks are to be copied now. */
  readonly isOver?: () => boolean
  /**
   * Is awaited before the block with which a chain came to this home from another one is stored: what is kept of the chain
   * from before is copied by then, or asked for again.
   */
  readonly arriving?: (chain: ChainId) => Promise<void>
  /** Is told of each block that was copied. */
  readonly copied?: () => void
}

/** How far a chain is copied. */
export interface ChainCopied {
  /** The newest block in the copy; null when the source has none. */
  readonly head: Link | null
  readonly added: number
  /** True when the source has more, and the slice was used up. */
  readonly more: boolean
}

/**
 * Copies the blocks of a chain that the copy lacks, with their parts, each verified by folding. Goes on where it was, and
 * may be repeated by anyone.
 * @param maxBlocks blocks after which a page is the last of this slice, as it is once `context.isOver`
 * @throws AmpereError VERIFICATION_FAILED for a block that breaks a rule, naming it, with its chain and height; rule `home` for a
 * chain that never was at the home that is copied
 */
export async function copyChain(
  source: HomeSource,
  to: HomeStores,
  context: CopyContext,
  chain: ChainId,
  note: (gap: Gap) => Promise<void>,
  maxBlocks: number = Number.POSITIVE_INFINITY,
): Promise<ChainCopied> {
  let head = await newestLink(to, chain)
  const checkHome = homeCheck(source, context.home, chain)
  if (head) await checkHome(head)
  for (let added = 0; ;) {
    const from = (head?.opened.block.height ?? -1) + 1
    const { items, next } = await source.blocks(chain, from)
    if (items.length === 0) return { head, added, more: false }
    await context.refreshRegistry()
    const { viewAt, keyOf } = context.registry
    const { links, broken } = await foldBlocks(head, items, {
      chain,
      viewAt,
      keyOf,
      verifiers: context.verifiers,
    })
    for (const link of links) {
      await checkHome(link)
      if (isArrival(link, context.home)) await context.arriving?.(chain)
      await copyBlock(source, to, link, note)
      head = link
      added++
      context.copied?.()
      if (context.isOver?.() === true) return { head, added, more: true }
    }
    if (broken) throw broke(broken.violation.rule, chain, broken.height, broken.violation.detail)
    if (next === null || added >= maxBlocks) return { head, added, more: next !== null }
  }
}

/** Brings the copy of a registry up to date. @throws AmpereError VERIFICATION_FAILED, SIGNATURE_INVALID */
export async function copyRegistry(
  source: HomeSource,
  to: Pick<HomeStores, 'tables'>,
  registry: RegistryHistory,
): Promise<void> {
  for (;;) {
    const page = await source.registryBlocks(registry.height() + 1)
    for (const compact of page.items) {
      await registry.add(compact)
      await to.tables.registry.insert(REGISTRY_PARTITION, heightKey(registry.height()), utf8(compact))
    }
    // Each block that is added has a signature; a page without any could be followed by the same for ever.
    if (page.next === null || page.items.length === 0) return
  }
}

/** The refusal of something that is not as it was signed. */
export function broke(rule: string, chain: ChainId, height: number, detail: string): AmpereError {
  return new AmpereError('VERIFICATION_FAILED', `rule ${rule}: chain ${chain}, block ${height}: ${detail}`)
}

/** The completed erasures of a chain that the copy has, by its jobs. */
export async function erasuresIn(
  { tables }: HomeStores,
  chain: ChainId,
): Promise<readonly ParsedBlock<EraseBlock>[]> {
  const found: ParsedBlock<EraseBlock>[] = []
  for await (const { key } of allRows(tables.jobs, JOBS_ERASE, rangeUnder(chain))) {
    const parsed = await loadBlock(tables.blocks, chain, parseErasureJob(key).height)
    if (parsed?.block.type === 'erase' && parsed.block.body.act === 'complete')
      found.push(parsed as ParsedBlock<EraseBlock>)
  }
  return found
}

/**
 * True when erasures explain that a part is not there any more: an object when all of its entries are erased, packages of
 * an erased record. Nothing explains that a key row is missing, or that a part differs; which tombstones were ordered
 * `copyParts` tells.
 */
export async function isExplained(
  { tables }: HomeStores,
  erasures: readonly ParsedBlock<EraseBlock>[],
  { chain, height, rule }: Gap,
): Promise<boolean> {
  if (rule !== 'object' && rule !== 'packages-root') return false
  if (erasures.some(({ block }) => block.body.scope === 'record' && height < block.height)) return true
  if (rule === 'packages-root') return false
  const named = erasures.flatMap(({ block }) =>
    block.body.targets.flatMap((target) => (target.height === height ? target.ids : [])),
  )
  const count = (await loadBlock(tables.blocks, chain, height))?.block.entries?.count ?? 0
  return new Set(named).size >= count
}

/**
 * A chain is copied from a home of its own: with the blocks from before it came there, and as far as the one with which
 * it left. Whether it ever comes is looked up before anything of it is stored.
 */
function homeCheck(source: HomeSource, { deployment, origin }: CopyContext['home'], chain: ChainId) {
  const isHere = (home: Link['state']['home']) => home.deployment === deployment && home.origin === origin
  let arrival: number | null = null
  return async ({ opened: { block }, state: { home } }: Link): Promise<void> => {
    if (isHere(home) || (block.type === 'rehome' && isHere(block.body.from))) return
    if (arrival === null || arrival < block.height)
      arrival = await arrivalAt(source, chain, block.height + 1, isHere)
    if (arrival !== null) return
    throw broke('home', chain, block.height, `it is a chain of ${home.origin}, and not of ${origin}`)
  }
}

/** Height of the first rehome to a home from a height on, as the source says; null where there is none. */
async function arrivalAt(
  source: HomeSource,
  chain: ChainId,
  from: number,
  isHere: (home: Link['state']['home']) => boolean,
): Promise<number | null> {
  for (let at: number | null = from; at !== null;) {
    const { items, next }: BlocksAnswer = await source.blocks(chain, at)
    const found = items.findIndex((compact) => {
      const { block } = parseBlock(compact)
      return block.type === 'rehome' && isHere(block.body.home)
    })
    if (found !== -1) return at + found
    at = items.length > 0 && next === at + items.length ? next : null
  }
  return null
}

function isArrival({ opened: { block } }: Link, { deployment, origin }: CopyContext['home']): boolean {
  if (block.type !== 'rehome') return false
  const { home } = block.body
  return home.deployment === deployment && home.origin === origin
}

/** What was verified when it was copied is not folded again. */
async function newestLink({ tables }: HomeStores, chain: ChainId): Promise<Link | null> {
  const head = await loadHead(tables.blocks, chain)
  if (!head) return null
  return { opened: head as OpenedBlock, state: await loadState(tables.states, chain, head.block.state) }
}
