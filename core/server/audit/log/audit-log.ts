// SPDX-License-Identifier: Apache-2.0
import type { ChainId, Digest } from '../../../bytes/ids.ts'
import type { Timestamp } from '../../../bytes/timestamp.ts'
import type { AppendTable } from '../../../ports/table.ts'
import type { Home } from '../../home.ts'
import { leavesBefore } from '../../sequence/staging.ts'
import { loadTree } from '../../sequence/tree.ts'
import { listChains } from '../audit.ts'
import { loadAnchors, type Signed } from './anchors.ts'
import { chainsSince, loadPassed, notePassed, NOTHING_PASSED, type Passed } from './audited-row.ts'
import { Claims } from './rows/claims.ts'
import { compareBlocks } from './blocks/compare-blocks.ts'
import type { Committed } from './rows/remake-rows.ts'
import { Coverage, coverChain } from './rows/coverage.ts'
import { leafReader } from './tree/leaf-reader.ts'
import type { LogAuditPorts, LogTrust } from './needs.ts'
import { buildTree } from './tree/build-tree.ts'
import { LogNotes, MAX_FLAWS, type LogFlaw, type LogReport } from './report.ts'

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
  const { flaws } = notes
  const listed = flaws.slice(0, MAX_FLAWS)
  const findings = listed.map(({ where, status, rule, detail }) => ({ where, status, rule, detail }))
  const from = passed.edge.size
  return {
    report: {
      size: tree?.checkpoint.size ?? 0,
      from,
      blocks,
      findings,
      unlisted: notes.unlisted + flaws.length - listed.length,
    },
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
  const { ports, home, notes, tree, passed, progress } = at
  const size = tree?.checkpoint.size ?? 0
  const from = passed.edge.size
  const coverage = new Coverage(from, size)
  const suspects = new Set<ChainId | Digest>()
  const beyond: { readonly chain: ChainId | Digest; readonly size: number; readonly where: string }[] = []
  const chains = () => chainsOf(at)
  for await (const chain of chains()) {
    const found = await coverChain(ports.tables.leaves, chain, coverage, notes)
    if (found.isSuspect) suspects.add(chain)
    if (found.size > size) beyond.push({ ...found, chain })
  }
  const claims = new Claims(size)
  const building = {
    ...at,
    coverage,
    chains: () => allChains(at),
    progress: (leaves: number) => progress(leaves, 0),
  }
  const built = tree && (await buildTree({ ...building, tree, ...showing(coverage, claims) }))
  const bad = built?.bad ?? null
  const fetch = built?.fetch ?? ((path: string) => ports.objects.log.fetch(path))
  const committed = await committedSize(at)
  for (const { chain, ...found } of beyond)
    if (committed !== null && found.size > committed.size) {
      suspects.add(chain)
      const detail = `the row speaks of ${found.size} leaves, and ${committed.size} are committed`
      notes.find('leaf-row', 'tampered', found.where, detail)
    }
  const comparing = { ports, home, notes, size, leafAt: leafReader(fetch, size, bad), claims, chains, from }
  const knowsLeaves = bad?.size === 0
  const showBlocks = (blocks: number) => progress(size, blocks)
  return compareBlocks({ ...comparing, knowsLeaves, committed, progress: showBlocks }, suspects)
}

/** The registry, then every chain that may have something to compare. */
async function* chainsOf(at: Auditing): AsyncGenerator<ChainId | Digest> {
  if (at.passed.edge.size === 0) return yield* allChains(at)
  yield at.home.registry.pinned
  yield* chainsSince(at.ports.tables.dirty, at.passed.cursor)
}

async function* allChains({ ports, home }: Auditing): AsyncGenerator<ChainId | Digest> {
  yield home.registry.pinned
  yield* listChains(ports)
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

/** A row may be of a tree that was committed meanwhile, and of none beyond that. Null where that tree is not known. */
async function committedSize({ ports, notes }: Auditing): Promise<Committed | null> {
  if (notes.flaws.some(({ rule }) => rule === 'tree-row' || rule === 'rolled-back')) return null
  const tree = (await loadTree(ports.tables.checkpoints))?.tree
  if (!tree) return { size: 0, before: 0 }
  const { checkpoint, staging } = tree
  return { size: checkpoint.size, before: staging === null ? 0 : leavesBefore(staging) }
}
