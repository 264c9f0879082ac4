// SPDX-License-Identifier: Apache-2.0
import type { ChainId, Digest } from '../../../../bytes/ids.ts'
import type { Timestamp } from '../../../../bytes/timestamp.ts'
import type { Home } from '../../../home.ts'
import { leavesBefore } from '../../../sequence/staging.ts'
import { loadTree } from '../../../sequence/tree.ts'
import { listChains } from '../../audit.ts'
import { loadAnchors, type Signed } from '../anchors.ts'
import { chainsSince, loadPassed, NOTHING_PASSED, type Passed } from '../audited-row.ts'
import { compareChain } from '../blocks/compare-chain.ts'
import { concludeBlocks } from '../blocks/conclude-blocks.ts'
import type { LogAuditPorts, LogTrust } from '../needs.ts'
import { LogNotes } from '../report.ts'
import { Claims, noClaims } from '../rows/claims.ts'
import { Coverage, coverChain } from '../rows/coverage.ts'
import type { Committed } from '../rows/remake-rows.ts'
import { buildTree, fetchWith, newBuild, type BuildState } from '../tree/build-tree.ts'
import { leafReader } from '../tree/leaf-reader.ts'

type Chain = ChainId | Digest

/** An audit of the log under way, with all that it takes to go on with it elsewhere. */
export interface LogRun {
  readonly tree: Signed | null
  /** From where on an audit of what is new looks for chains. */
  readonly cursor: Timestamp | null
  readonly passed: Passed
  /** What an audit of what is new looks at; null where that is every chain. */
  readonly news: readonly Chain[] | null
  readonly notes: LogNotes
  readonly coverage: Coverage
  readonly claims: Claims
  readonly build: BuildState
  /** Chains whose rows may be wrong. */
  readonly suspects: Set<Chain>
  readonly unlogged: Set<Chain>
  /** Chains with rows of a larger tree. */
  readonly beyond: { readonly chain: Chain; readonly size: number; readonly where: string }[]
  phase: 'rows' | 'tree' | 'blocks' | 'done'
  /** The chain with which the phase goes on; null at its beginning. */
  next: Chain | null
  committed: Committed | null
  blocks: number
}

/** What an audit reads and believes. */
export interface Reading {
  readonly ports: LogAuditPorts
  readonly home: Home
  readonly trust: LogTrust
}

/** What going on with an audit needs. */
export interface Going extends Reading {
  readonly progress: (leaves: number, blocks: number) => void
  /** Asked after each chain and each bundle whether to stop there. */
  readonly pause: () => boolean
  /** Leaves of the largest tree in which wrong bundles are looked for, and made anew: that is one step, which reads it all. */
  readonly maxLocatedLeaves: number
}

/** Reads what the log is, and where to begin: only after what the last audit passed, or with the first leaf. */
export async function beginRun({ ports, home, trust }: Reading, sinceLast: boolean): Promise<LogRun> {
  const notes = new LogNotes()
  const { tree, cursor } = await loadAnchors({ ports, home, trust, notes })
  const size = tree?.checkpoint.size ?? 0
  const passed = sinceLast ? await loadPassed(ports, size, notes) : NOTHING_PASSED
  const from = passed.edge.size
  const news: Chain[] = [home.registry.pinned]
  if (from > 0) for await (const chain of chainsSince(ports.tables.dirty, passed.cursor)) news.push(chain)
  return {
    tree,
    cursor,
    passed,
    news: from > 0 ? news : null,
    notes,
    coverage: new Coverage(from, size),
    claims: new Claims(noClaims(size)),
    build: newBuild(passed),
    suspects: new Set(),
    unlogged: new Set(),
    beyond: [],
    phase: 'rows',
    next: null,
    committed: null,
    blocks: 0,
  }
}

/** Goes on with an audit until it is done or told to pause, after one step at least. */
export async function goOn(at: Going, run: LogRun): Promise<void> {
  if (run.phase === 'rows' && (await eachChain(at, run, (chain) => coverRows(at, run, chain))))
    run.phase = 'tree'
  if (run.phase === 'tree' && (await build(at, run))) {
    await noteBeyond(at, run)
    run.phase = 'blocks'
  }
  if (run.phase !== 'blocks') return
  const size = run.tree?.checkpoint.size ?? 0
  const bad = run.build.result?.bad ?? null
  const leafAt = leafReader(fetchWith(at.ports.objects, run.build), size, bad)
  const comparing = { ...at, notes: run.notes, claims: run.claims, size, leafAt }
  const from = run.passed.edge.size
  const isDone = await eachChain(at, run, async (chain) => {
    const compared = await compareChain(comparing, chain, from)
    run.blocks += compared.blocks
    at.progress(size, run.blocks)
    if (compared.isSuspect) run.suspects.add(chain)
    else if (compared.hasUnlogged) run.unlogged.add(chain)
  })
  if (!isDone) return
  const knowing = { knowsLeaves: bad?.size === 0, committed: run.committed }
  await concludeBlocks({ ...comparing, ...knowing }, { ...run, from })
  run.phase = 'done'
}

/** Does something with every chain from the next one on. @returns false where it paused */
async function eachChain(at: Going, run: LogRun, act: (chain: Chain) => Promise<void>): Promise<boolean> {
  let isFirst = true
  for await (const chain of chainsFrom(at, run)) {
    if (!isFirst && at.pause()) {
      run.next = chain
      return false
    }
    isFirst = false
    await act(chain)
  }
  run.next = null
  return true
}

/** The registry, then every chain that may have something to compare. */
async function* chainsFrom({ ports, home }: Reading, { news, next }: LogRun): AsyncGenerator<Chain> {
  if (news) return yield* news.slice(next === null ? 0 : news.indexOf(next))
  if (next !== null && next !== home.registry.pinned) return yield* listChains(ports, next as ChainId)
  yield home.registry.pinned
  yield* listChains(ports)
}

async function coverRows({ ports }: Going, run: LogRun, chain: Chain): Promise<void> {
  const { isSuspect, size, where } = await coverChain(ports.tables.leaves, chain, run.coverage, run.notes)
  if (isSuspect) run.suspects.add(chain)
  if (size > (run.tree?.checkpoint.size ?? 0)) run.beyond.push({ chain, size, where })
}

/** @returns false where it paused */
async function build(at: Going, run: LogRun): Promise<boolean> {
  const { tree, passed, notes, coverage, claims } = run
  if (!tree) return true
  const chains = () => chainsFrom(at, { ...run, news: null, next: null })
  const progress = (leaves: number) => at.progress(leaves, 0)
  const building = { ...at, tree, passed, notes, coverage, chains, progress }
  return buildTree({ ...building, ...showing(coverage, claims) }, run.build)
}

/** A row may be of a tree that was committed meanwhile, and of none beyond that. */
async function noteBeyond(at: Going, run: LogRun): Promise<void> {
  const committed = await committedSize(at, run)
  run.committed = committed
  if (!committed) return
  for (const { chain, size, where } of run.beyond.filter((row) => row.size > committed.size)) {
    run.suspects.add(chain)
    const detail = `the row speaks of ${size} leaves, and ${committed.size} are committed`
    run.notes.find('leaf-row', 'tampered', where, detail)
  }
}

/** Notes, while a tree is built, which leaves no row claims. */
function showing(coverage: Coverage, claims: Claims) {
  return {
    begin: () => claims.clearUnclaimed(),
    see: (first: number, entries: readonly Uint8Array[]) => {
      const start = Math.max(first, coverage.from)
      if (coverage.isWhole(start, first + entries.length)) return
      for (let leaf = start; leaf < first + entries.length; leaf++) {
        const entry = entries[leaf - first]
        if (entry && !coverage.isClaimed(leaf)) claims.addUnclaimed(entry, leaf)
      }
    },
  }
}

/** Null where the committed tree is not known. */
async function committedSize({ ports }: Going, { notes }: LogRun): Promise<Committed | null> {
  if (notes.flaws.some(({ rule }) => rule === 'tree-row' || rule === 'rolled-back')) return null
  const tree = (await loadTree(ports.tables.checkpoints))?.tree
  if (!tree) return { size: 0, before: 0 }
  const { checkpoint, staging } = tree
  return { size: checkpoint.size, before: staging === null ? 0 : leavesBefore(staging) }
}
