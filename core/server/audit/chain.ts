// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '../../bytes/encoding.ts'
import type { ChainId } from '../../bytes/ids.ts'
import { parseBlock } from '../../block/open-block.ts'
import { foldBlocks, type FoldContext, type Folded } from '../../chain/fold-blocks.ts'
import type { Link } from '../../chain/state.ts'
import { isAmpereError } from '../../errors.ts'
import type { Row } from '../../ports/table.ts'
import type { RegistryView } from '../../registry/snapshot.ts'
import type { Home } from '../home.ts'
import { chainPartition, heightKey, rowKey } from '../store/rows.ts'
import { checkEntries } from './entries.ts'
import { flagWaiting, loadErasures, type Erasures } from './erasures.ts'
import { checkLabel, checkPackages, checkState } from './keys.ts'
import { checkPair, checkRotation, noteRemovals, notListed, type Removals } from './links.ts'
import type { AuditorPorts } from './needs.ts'
import type { AuditedRegistry } from './registry.ts'
import { notesOf, type ChainReport, type Notes } from './report.ts'
import { flagUnreferenced, nothingNamed, type Named } from './unreferenced.ts'

/**
 * Blocks that are read and verified at a time. So few that garbage dies young: with 500 V8 lets its young generation
 * grow, and auditing a tall chain takes 100 MB more for the same speed (npm run bench -- verify-memory).
 */
export const AUDIT_PAGE = 64

/** What auditing any chain needs. */
export interface AuditContext {
  readonly ports: AuditorPorts
  readonly home: Home
  readonly registry: AuditedRegistry
  /** Null while the registry is empty. */
  readonly newest: RegistryView | null
}

interface Walk {
  readonly chain: ChainId
  readonly erasures: Erasures
  readonly report: ChainReport
  readonly notes: Notes
  readonly named: Named
  readonly removals: Removals
  /** Heights of completed erasures that have no job. */
  readonly withoutJob: number[]
}

/**
 * Verifies all that the home holds of one chain, page by page: memory grows with its erasures, not with its
 * blocks. `progress` is called after each page with the number of blocks so far.
 */
export async function auditChain(
  context: AuditContext,
  chain: ChainId,
  progress: (blocks: number) => void,
): Promise<ChainReport> {
  const withoutJob: number[] = []
  for (;;) {
    const walk = await auditOnce(context, chain, withoutJob, progress)
    // Erasures are found by their jobs. One without a job explains what was taken for damage: look again.
    if (walk.withoutJob.length === 0) {
      for (const height of withoutJob)
        walk.notes.find(height, 'missing', 'erase-job', 'the job of a completed erasure is not stored')
      return walk.report
    }
    withoutJob.push(...walk.withoutJob)
  }
}

async function auditOnce(
  context: AuditContext,
  chain: ChainId,
  known: readonly number[],
  progress: (blocks: number) => void,
): Promise<Walk> {
  const { ports, home, newest } = context
  const report: ChainReport = { blocks: 0, entries: 0, erased: 0, findings: [], flags: [] }
  const notes = notesOf(chain, report)
  const erasures = await loadErasures(ports, home, chain, known, newest, notes)
  const walk: Walk = {
    chain,
    erasures,
    report,
    notes,
    named: nothingNamed(),
    removals: new Map(),
    withoutJob: [],
  }
  const { last, isWhole } = await walkBlocks(context, walk, progress)
  flagWaiting(erasures, notes)
  if (isWhole) await flagUnreferenced(ports, chain, walk.named, notes)
  if (!last) {
    if (isWhole) notes.flag(null, 'unreferenced', 'the chain is listed and has no block')
    return walk
  }
  if (!(await ports.tables.chains.get(chainPartition(chain), chain))) report.findings.push(notListed(chain))
  if (isWhole) {
    if (newest) checkRotation(last.state, newest, ports.now(), notes)
    const sibling = await checkPair(ports, chain, last, walk.removals, notes)
    if (sibling) report.findings.push(notListed(sibling))
  }
  return walk
}

async function walkBlocks(
  context: AuditContext,
  walk: Walk,
  progress: (blocks: number) => void,
): Promise<{ readonly last: Link | null; readonly isWhole: boolean }> {
  const { chain, report, notes } = walk
  let last: Link | null = null
  for (;;) {
    const next: number = last ? last.opened.block.height + 1 : 0
    const rows = await context.ports.tables.blocks.range(chain, { from: heightKey(next), limit: AUDIT_PAGE })
    if (rows.length === 0) return { last, isWhole: true }
    const gap = rows.findIndex((row, i) => row.key !== heightKey(next + i))
    const there = gap < 0 ? rows : rows.slice(0, gap)
    const folded = await foldBlocks(last, there.map(textOf), foldContext(context, chain))
    for (const link of folded.links) {
      await checkLink(context, walk, last, link)
      last = link
    }
    report.blocks = last ? last.opened.block.height + 1 : 0
    progress(report.blocks)
    if (folded.broken) {
      noteBroken(context, walk, folded, there)
      return { last, isWhole: false }
    }
    if (gap >= 0) {
      const finding = { chain, height: next + gap, status: 'missing', rule: 'height' } as const
      report.findings.push({ ...finding, detail: 'a block is missing' })
      notes.flag(next + gap, 'not-verified', 'blocks after the missing one')
      return { last, isWhole: false }
    }
  }
}

function foldContext({ registry, home }: AuditContext, chain: ChainId): FoldContext {
  const { viewAt, keyOf } = registry.history
  return { chain, viewAt, keyOf, verifiers: home.verifiers }
}

/** Notes what is wrong with the first block that does not hold, and that nothing behind it was verified. */
function noteBroken(
  context: AuditContext,
  walk: Walk,
  { links, broken }: Folded,
  rows: readonly Row[],
): void {
  if (!broken) return
  const { height, violation } = broken
  const { rule, detail } = violation
  const row = rows[links.length]
  const lacking = row ? lackingRegistryBlock(context, textOf(row), rule) : null
  if (lacking === null)
    walk.report.findings.push({ chain: walk.chain, height, status: 'tampered', rule, detail })
  else context.registry.missing(lacking)
  walk.notes.flag(height, 'not-verified', 'this block and those after it')
}

/** The registry block that is needed to judge a block and is not here; null when the block itself is to blame. */
function lackingRegistryBlock({ registry }: AuditContext, compact: string, rule: string): number | null {
  const { history } = registry
  if (rule !== 'registry-head' && rule !== 'signature') return null
  const { block, kid } = parseBlock(compact)
  const isBeyond = block.registry.height > history.height()
  return isBeyond && (rule === 'registry-head' || history.keyOf(kid) === null) ? history.height() + 1 : null
}

async function checkLink(
  { ports }: AuditContext,
  walk: Walk,
  parent: Link | null,
  link: Link,
): Promise<void> {
  const { chain, erasures, report, notes, named } = walk
  const { block } = link.opened
  const before = parent?.state ?? null
  if (block.entries) {
    const { entries, height } = block
    report.entries += entries.count
    report.erased += erasures.countAt(height, entries.count)
    const isStored = await checkEntries(ports, { chain, height, entries, erasures }, notes)
    if (isStored) named.see('wraps', rowKey(entries))
  }
  if (block.type === 'record') return
  const at = { chain, before, link, erasures }
  if (await checkState(ports, at, notes)) named.see('states', block.state)
  if (await checkLabel(ports, at, notes)) named.see('labels', link.state.labelKeyHash)
  for (const key of await checkPackages(ports, at, notes)) named.see('packages', key)
  if (before) noteRemovals(walk.removals, before, link)
  const isCompletion = block.type === 'erase' && block.body.act === 'complete'
  if (isCompletion && !erasures.orders.some((order) => order.id === link.opened.id))
    walk.withoutJob.push(block.height)
}

/** The text of a row; bytes that are none give an empty one, which no parser takes for a block. */
function textOf(row: Row): string {
  try {
    return fromUtf8(row.value)
  } catch (error) {
    if (isAmpereError(error)) return ''
    throw error
  }
}
