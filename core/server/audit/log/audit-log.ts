// SPDX-License-Identifier: Apache-2.0
import { toHex } from '../../../bytes/encoding.ts'
import { equalBytes } from '../../../bytes/frame.ts'
import type { ChainId, Digest } from '../../../bytes/ids.ts'
import type { Timestamp } from '../../../bytes/timestamp.ts'
import type { Edge } from '../../../log/tile/grow.ts'
import { rootOf } from '../../../log/tile/grow.ts'
import { merkleRoot } from '../../../log/merkle.ts'
import { TILE_WIDTH } from '../../../log/tile/path.ts'
import type { AppendTable } from '../../../ports/table.ts'
import type { Home } from '../../home.ts'
import { loadTree } from '../../sequence/tree.ts'
import { listChains } from '../audit.ts'
import { loadAnchors, witnessedFrom, type Signed } from './anchors.ts'
import { chainsSince, loadPassed, notePassed, NOTHING_PASSED, type Passed } from './audited-row.ts'
import { compareChain, type Comparing } from './blocks/compare-chain.ts'
import { Coverage, coverChain } from './blocks/coverage.ts'
import { leafReader } from './tree/leaf-reader.ts'
import { findDamage } from './tree/locate.ts'
import type { LogAuditPorts, LogTrust } from './needs.ts'
import { publishedSizes } from './tree/published.ts'
import { rebuild } from './tree/rebuild.ts'
import { LogNotes, type LogFlaw, type LogReport } from './report.ts'

/** Leaves that no row claims whose blocks are looked for; there are none in a log that is in order. */
const MAX_UNCLAIMED = 65_536

/** How an audit of the log is made. */
export interface LogAuditOptions {
  /** Only what came after the last audit that passed; else everything, whatever was audited before. */
  readonly sinceLast?: boolean
  /** Is called with leaves and blocks as they are done; what it throws ends the audit. */
  readonly progress?: (leaves: number, blocks: number) => void
}

/** A finished audit: its report, what would mend it, and the tree that it is about. */
export interface LogAudit {
  readonly report: LogReport
  readonly flaws: readonly LogFlaw[]
  readonly tree: Signed | null
  /** From where on an audit of what is new looks for chains. */
  readonly cursor: Timestamp | null
}

interface Auditing {
  readonly ports: LogAuditPorts
  readonly home: Home
  readonly trust: LogTrust
  readonly notes: LogNotes
  readonly tree: Signed | null
  readonly passed: Passed
  readonly progress: (leaves: number, blocks: number) => void
}

/**
 * Audits the log of a home: builds its tree anew from the entry bundles, compares all tiles and checkpoints with it, and
 * its leaves with the blocks of all chains and of the registry. Reads only; findings are evidence, not errors.
 */
export async function auditLog(
  ports: LogAuditPorts,
  home: Home,
  trust: LogTrust,
  { sinceLast = false, progress = () => {} }: LogAuditOptions = {},
): Promise<LogAudit> {
  const notes = new LogNotes()
  const { tree, cursor } = await loadAnchors({ ports, home, trust, notes })
  const passed = sinceLast ? await loadPassed(ports, tree?.checkpoint.size ?? 0, notes) : NOTHING_PASSED
  const at: Auditing = { ports, home, trust, notes, tree, passed, progress }
  const blocks = await auditTree(at)
  const { flaws, unlisted } = notes
  const findings = flaws.map(({ where, status, rule, detail }) => ({ where, status, rule, detail }))
  const from = passed.edge.size
  return {
    report: { size: tree?.checkpoint.size ?? 0, from, blocks, findings, unlisted },
    flaws,
    tree,
    cursor,
  }
}

/** Notes how far an audit came that found nothing, for the next one that looks at what is new. */
export async function noteAudited(
  { tables }: { readonly tables: { readonly checkpoints: AppendTable } },
  { report, tree, cursor }: LogAudit,
): Promise<void> {
  const isClean = report.findings.length === 0 && report.unlisted === 0
  if (isClean && tree && cursor !== null && report.size > report.from)
    await notePassed(tables.checkpoints, tree.checkpoint, cursor)
}

/** @returns how many blocks were compared */
async function auditTree(at: Auditing): Promise<number> {
  const { ports, notes, tree, passed } = at
  const size = tree?.checkpoint.size ?? 0
  const from = passed.edge.size
  const coverage = new Coverage(from, size)
  let furthest = { size: 0, where: '' }
  for await (const chain of chainsOf(at)) {
    const found = await coverChain(ports.tables.leaves, chain, coverage, notes)
    if (found.size > furthest.size) furthest = found
  }
  const unclaimed = new Map<string, number>()
  const bad = tree ? await buildTree(at, tree, coverage, unclaimed) : null
  const blocks = await compareBlocks(at, bad, unclaimed)
  await checkFurthest(at, furthest)
  return blocks
}

/** The registry, then every chain that may have something to compare. */
async function* chainsOf({ ports, home, passed }: Auditing): AsyncGenerator<ChainId | Digest> {
  yield home.registry.pinned
  if (passed.edge.size === 0) yield* listChains(ports)
  else yield* chainsSince(ports.tables.dirty, passed.cursor)
}

/**
 * Builds the tree; where it has not the signed root, once more without the bundles that the tiles prove to be wrong.
 * @returns the bad bundles, null where the root was not reached and so no leaf is proved
 */
async function buildTree(
  at: Auditing,
  tree: Signed,
  coverage: Coverage,
  unclaimed: Map<string, number>,
): Promise<ReadonlySet<number> | null> {
  const { root, size } = tree.checkpoint
  const first = await buildOnce(at, tree, coverage, unclaimed, new Set())
  if (first.edge && equalBytes(rootAt(first.edge), root)) {
    takeAll(at, first)
    return first.missing
  }
  const fetch = (path: string) => at.ports.objects.log.fetch(path)
  const damage = first.edge && (await findDamage({ fetch, size, root, built: first.edge }))
  if (damage?.unproven.length === 0 && damage.bad.size > 0) {
    const { bad } = damage
    unclaimed.clear()
    const again = await buildOnce(at, tree, coverage, unclaimed, bad)
    if (again.edge && equalBytes(rootAt(again.edge), root)) {
      takeAll(at, again)
      return new Set([...bad, ...again.missing])
    }
  }
  unclaimed.clear()
  at.notes.take(first.notes)
  noteUnproven(at, tree, damage?.unproven ?? [])
  return null
}

function takeAll(at: Auditing, { notes, comparisons }: Built): void {
  at.notes.take(notes)
  at.notes.take(comparisons)
}

interface Built {
  readonly edge: Edge | null
  readonly notes: LogNotes
  readonly comparisons: LogNotes
  /** Bundles whose entries are not known. */
  readonly missing: ReadonlySet<number>
}

async function buildOnce(
  at: Auditing,
  { checkpoint: { size } }: Signed,
  coverage: Coverage,
  unclaimed: Map<string, number>,
  bad: ReadonlySet<number>,
): Promise<Built> {
  const { ports, home, trust, passed, progress } = at
  const [notes, comparisons] = [new LogNotes(), new LogNotes()]
  const from = passed.edge.size
  const witnessed = witnessedFrom({ ports, home, trust, notes }, from === 0 ? 0 : from + 1)
  const missing = new Set(bad)
  let next = Math.floor(from / TILE_WIDTH)
  const edge = await rebuild({
    fetch: (path) => ports.objects.log.fetch(path),
    size,
    start: passed.edge,
    bad,
    published: publishedSizes(witnessed, coverage, size),
    notes,
    comparisons,
    same: new Set(),
    see: (first, entries) => {
      for (; next < first / TILE_WIDTH; next++) missing.add(next)
      next++
      progress(first + entries.length, 0)
      noteUnclaimed(coverage, first, entries, unclaimed)
    },
  })
  // What was audited before is taken as it was then.
  const end = size > from ? Math.ceil(size / TILE_WIDTH) : 0
  for (; next < end; next++) missing.add(next)
  for await (const { checkpoint } of witnessed)
    if (checkpoint.size > size) {
      const where = `checkpoints/witnessed/${String(checkpoint.size).padStart(16, '0')}`
      const detail = `${checkpoint.size} leaves were witnessed, and there are ${size}`
      notes.find('rolled-back', 'missing', where, detail)
    }
  return { edge, notes, comparisons, missing }
}

function noteUnclaimed(
  coverage: Coverage,
  first: number,
  entries: readonly Uint8Array[],
  unclaimed: Map<string, number>,
): void {
  const start = Math.max(first, coverage.from)
  if (coverage.isWhole(start, first + entries.length)) return
  for (let leaf = start; leaf < first + entries.length; leaf++) {
    const entry = entries[leaf - first]
    if (entry && !coverage.isClaimed(leaf) && unclaimed.size < MAX_UNCLAIMED)
      unclaimed.set(toHex(entry), leaf)
  }
}

function rootAt(edge: Edge): Uint8Array {
  return edge.size === 0 ? merkleRoot([]) : rootOf(edge)
}

/** Says what of the log nothing proves; all else may be right or wrong. */
function noteUnproven({ notes }: Auditing, { checkpoint }: Signed, unproven: readonly string[]): void {
  for (const path of unproven) {
    const detail = 'neither the tile nor what is below it is what the signed root covers'
    notes.find('log-root', 'tampered', path, detail)
  }
  if (unproven.length > 0) return
  const detail = `neither bundles nor tiles make the signed root of ${checkpoint.size} leaves`
  notes.find('log-root', 'tampered', 'log', `${detail}; what is wrong is not decided`)
}

async function compareBlocks(
  at: Auditing,
  bad: ReadonlySet<number> | null,
  unclaimed: Map<string, number>,
): Promise<number> {
  const { ports, home, notes, tree, passed, progress } = at
  const size = tree?.checkpoint.size ?? 0
  const leafAt = leafReader((path) => ports.objects.log.fetch(path), size, bad)
  const disowned = new Map<string, number>()
  const knowsAllLeaves = bad?.size === 0 && unclaimed.size < MAX_UNCLAIMED
  const comparing = { ports, home, notes, size, leafAt, unclaimed, disowned, knowsAllLeaves }
  const again: (ChainId | Digest)[] = []
  let blocks = 0
  for await (const chain of chainsOf(at)) {
    const compared = await compareChain(comparing, chain, passed.edge.size)
    blocks += compared.blocks
    progress(size, blocks)
    if (compared.hasBadRows && again.length < MAX_UNCLAIMED) again.push(chain)
  }
  for (const chain of again) await remakeRows(comparing, chain)
  for (const leaf of unclaimed.values())
    notes.find('leaf-unknown', 'tampered', `leaf ${leaf}`, 'no stored block is the one of this leaf')
  return blocks
}

/** Says which rows a chain should have, if each of its blocks was found among the leaves; else its blocks are named already. */
async function remakeRows(comparing: Comparing, chain: ChainId | Digest): Promise<void> {
  const silent = { ...comparing, notes: new LogNotes() }
  const { runs } = await compareChain(silent, chain, 0, true)
  const isInOrder = runs?.every((run, i) => i === 0 || run.index > (runs[i - 1]?.index ?? 0))
  if (!runs || isInOrder !== true) return
  const remedy = { kind: 'leaves', chain, runs } as const
  const detail = 'the rows of this chain are not where its leaves are'
  comparing.notes.find('leaf-row', 'tampered', `leaves/${chain}`, detail, remedy)
  for (const { index, count } of runs)
    for (const [name, leaf] of comparing.unclaimed)
      if (leaf >= index && leaf < index + count) comparing.unclaimed.delete(name)
}

/** A row may be of a tree that was committed meanwhile, and of none beyond that. */
async function checkFurthest(
  { ports, notes }: Auditing,
  furthest: { readonly size: number; readonly where: string },
): Promise<void> {
  const known = notes.flaws.some(({ rule }) => rule === 'tree-row' || rule === 'rolled-back')
  if (furthest.size === 0 || known) return
  const committed = (await loadTree(ports.tables.checkpoints))?.tree.checkpoint.size ?? 0
  if (furthest.size > committed) {
    const detail = `the row speaks of ${furthest.size} leaves, and ${committed} are committed`
    notes.find('leaf-row', 'tampered', furthest.where, detail)
  }
}
