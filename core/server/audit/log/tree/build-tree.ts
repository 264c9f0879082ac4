// SPDX-License-Identifier: Apache-2.0
import type { ChainId, Digest } from '../../../../bytes/ids.ts'
import { equalBytes } from '../../../../bytes/frame.ts'
import { merkleRoot } from '../../../../log/merkle.ts'
import { encodeBundle } from '../../../../log/tile/bundle.ts'
import { rootOf, type Edge } from '../../../../log/tile/grow.ts'
import { TILE_WIDTH } from '../../../../log/tile/path.ts'
import type { FetchPath } from '../../../../log/tile/read-tile.ts'
import type { Home } from '../../../home.ts'
import { witnessedFrom, type Signed } from '../anchors.ts'
import type { Passed } from '../audited-row.ts'
import type { Coverage } from '../rows/coverage.ts'
import { recoverBundles, type Wanted } from '../blocks/recover-bundles.ts'
import type { LogAuditPorts, LogTrust } from '../needs.ts'
import { LogNotes } from '../report.ts'
import { findDamage } from './locate.ts'
import { publishedSizes } from './published.ts'
import { rebuild } from './rebuild.ts'
import { provenSuspects, suspectsOf, unreadableSuspects } from './suspects.ts'

/** Times that a tree is built at most: damage may hide behind damage. */
const MAX_BUILDS = 5

/** What building a tree needs. */
export interface Building {
  readonly ports: LogAuditPorts
  readonly home: Home
  readonly trust: LogTrust
  readonly notes: LogNotes
  readonly tree: Signed
  readonly passed: Passed
  readonly coverage: Coverage
  readonly progress: (leaves: number) => void
  readonly pause: () => boolean
  readonly maxLocatedLeaves: number
  /** Every chain that there is, and the registry: their blocks say what leaves are, where the log does not. */
  readonly chains: () => AsyncIterable<ChainId | Digest>
  /** Is shown the entries of each bundle that is known, in order; `begin` before the first. */
  readonly begin: () => void
  readonly see: (first: number, entries: readonly Uint8Array[]) => void
}

/** How far building is: all that it takes to go on. */
export interface BuildState {
  builds: number
  /** Null where neither a bundle nor its tile says what leaves there are. */
  edge: Edge | null
  /** Index of the next bundle. */
  next: number
  notes: LogNotes
  comparisons: LogNotes
  /** Bundles whose entries are not known. */
  missing: Set<number>
  readonly same: Set<string>
  /** Bundles that were made anew, by path. */
  readonly anew: Map<string, Uint8Array>
  /** Bundles that cannot be made anew, and why. */
  readonly bad: Map<number, string>
  readonly tried: Set<string>
  /** Bundles whose entries are not known, once that is known; null where the signed root was not reached. */
  result: { readonly bad: ReadonlySet<number> | null } | null
}

/** Building that has not begun. */
export function newBuild(passed: Passed): BuildState {
  const sets = { missing: new Set<number>(), same: new Set<string>(), tried: new Set<string>() }
  const begun = { edge: passed.edge, next: Math.floor(passed.edge.size / TILE_WIDTH) }
  const notes = { notes: new LogNotes(), comparisons: new LogNotes() }
  return { builds: 1, ...begun, ...notes, ...sets, anew: new Map(), bad: new Map(), result: null }
}

/** Reads the log with what was made anew in its place. */
export function fetchWith({ log }: LogAuditPorts['objects'], { anew }: BuildState): FetchPath {
  return async (path) => anew.get(path) ?? log.fetch(path)
}

/**
 * Builds the tree. Bundles that cannot be read, or that the tiles prove to be wrong, are made anew from blocks, and it is
 * built again: what the signed root covers then is right, whoever made it.
 * @returns false where it paused
 */
export async function buildTree(at: Building, state: BuildState): Promise<boolean> {
  const stored: FetchPath = (path) => at.ports.objects.log.fetch(path)
  const fetch = fetchWith(at.ports.objects, state)
  const { size } = at.tree.checkpoint
  for (;;) {
    if (!(await buildOn(at, state, fetch))) return false
    const isSigned = hasSignedRoot(at, state)
    if (size > at.maxLocatedLeaves) {
      takeUnlocated(at, state, isSigned)
      return true
    }
    const damage = isSigned ? null : await damageOf(at, fetch, state)
    const suspects = isSigned
      ? await provenSuspects(stored, size, state.missing)
      : ((damage && suspectsOf(damage, size)) ?? (await unreadableSuspects(fetch, size, at.passed.edge.size)))
    const fresh = suspects.filter((wanted) => !state.tried.has(`${wanted.path} ${wanted.hashes === null}`))
    if (fresh.length === 0 || state.builds === MAX_BUILDS) {
      if (isSigned) await noteAnew(at.notes, stored, state.anew)
      take(at, state, isSigned, damage?.unproven ?? [])
      state.result = { bad: isSigned ? state.missing : null }
      return true
    }
    await recover(at, state, fresh)
    const { builds, anew, bad, tried } = state
    Object.assign(state, newBuild(at.passed), { builds: builds + 1, anew, bad, tried })
    for (const index of bad.keys()) state.missing.add(index)
    at.begin()
  }
}

async function recover(at: Building, state: BuildState, fresh: readonly Wanted[]): Promise<void> {
  const found = await recoverBundles(at, fresh)
  for (const [i, wanted] of fresh.entries()) {
    state.tried.add(`${wanted.path} ${wanted.hashes === null}`)
    const recovered = found[i]
    if (!recovered) continue
    if (typeof recovered !== 'string') state.anew.set(wanted.path, encodeBundle(recovered))
    // Without hashes nothing would take its place.
    else if (wanted.hashes) state.bad.set(wanted.index, recovered)
  }
}

function hasSignedRoot({ tree }: Building, { edge }: BuildState): boolean {
  return edge !== null && equalBytes(edge.size === 0 ? merkleRoot([]) : rootOf(edge), tree.checkpoint.root)
}

function damageOf({ tree }: Building, fetch: FetchPath, { edge }: BuildState) {
  const { size, root } = tree.checkpoint
  return edge && findDamage({ fetch, size, root, built: edge })
}

/** Bundles that are not what they are to be, and can be made. */
async function noteAnew(
  notes: LogNotes,
  stored: FetchPath,
  anew: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  for (const [path, bytes] of anew) {
    const there = await stored(path)
    if (there && equalBytes(there, bytes)) continue
    const [status, what] = there
      ? (['tampered', 'the bundle is not what the signed root covers'] as const)
      : (['missing', 'the bundle is not stored'] as const)
    const detail = `${what}; the blocks of all its leaves are stored, and make it`
    notes.find('bundle', status, path, detail, { kind: 'object', path, bytes })
  }
}

/** What was read of a tree that is too large to look for what is wrong with it here. */
function takeUnlocated(at: Building, state: BuildState, isSigned: boolean): void {
  at.notes.take(state.notes)
  state.result = { bad: isSigned ? state.missing : null }
  if (isSigned) {
    at.notes.take(state.comparisons)
    return
  }
  at.begin()
  const detail = `the bundles do not make the signed root of ${at.tree.checkpoint.size} leaves`
  const where =
    'in a log of this size an audit beside the stores finds out which: stop the server, npx ampere audit'
  at.notes.find('log-root', 'tampered', 'log', `${detail}; ${where}`)
}

function take(at: Building, built: BuildState, isSigned: boolean, unproven: readonly string[]): void {
  at.notes.take(built.notes)
  if (isSigned) {
    at.notes.take(built.comparisons)
    return
  }
  at.begin()
  // What of the log nothing proves: all else may be right or wrong.
  for (const path of unproven) {
    const detail = 'neither the tile nor what is below it is what the signed root covers'
    at.notes.find('log-root', 'tampered', path, `${detail}, nor do blocks and their rows make it`)
  }
  if (unproven.length > 0) return
  const { size } = at.tree.checkpoint
  const detail = `neither bundles nor tiles nor blocks make the signed root of ${size} leaves`
  at.notes.find('log-root', 'tampered', 'log', `${detail}; what is wrong is not decided`)
}

/** Goes on with one build. @returns false where it paused */
async function buildOn(at: Building, state: BuildState, fetch: FetchPath): Promise<boolean> {
  const { coverage, tree } = at
  const { size } = tree.checkpoint
  const { edge: start, notes, missing } = state
  if (!start) return true
  const witnessed = witnessedFrom({ ...at, notes }, start.size === 0 ? 0 : start.size + 1)
  state.edge = await rebuild({
    ...state,
    fetch,
    size,
    start,
    published: publishedSizes(witnessed, coverage, size),
    pause: at.pause,
    see: (first, entries) => {
      for (; state.next < first / TILE_WIDTH; state.next++) missing.add(state.next)
      state.next++
      at.progress(first + entries.length)
      at.see(first, entries)
    },
  })
  if (state.edge && state.edge.size < size) return false
  // What was audited before is taken as it was then.
  const end = size > at.passed.edge.size ? Math.ceil(size / TILE_WIDTH) : 0
  for (; state.next < end; state.next++) missing.add(state.next)
  for await (const { checkpoint } of witnessed)
    if (checkpoint.size > size) {
      const where = `checkpoints/witnessed/${String(checkpoint.size).padStart(16, '0')}`
      const detail = `${checkpoint.size} leaves were witnessed, and there are ${size}`
      notes.find('rolled-back', 'missing', where, detail)
    }
  return true
}
