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
  /** Every chain that there is, and the registry: their blocks say what leaves are, where the log does not. */
  readonly chains: () => AsyncIterable<ChainId | Digest>
  /** Is shown the entries of each bundle that is known, in order; `begin` before the first. */
  readonly begin: () => void
  readonly see: (first: number, entries: readonly Uint8Array[]) => void
}

/** A tree that was built. */
export interface BuiltTree {
  /** Bundles whose entries are not known; null where the signed root was not reached, so that no leaf is proved. */
  readonly bad: ReadonlySet<number> | null
  /** Reads the log as it should be: with the bundles that were made anew from blocks. */
  readonly fetch: FetchPath
}

interface Built {
  readonly edge: Edge | null
  readonly isSigned: boolean
  readonly notes: LogNotes
  readonly comparisons: LogNotes
  /** Bundles whose entries are not known. */
  readonly missing: ReadonlySet<number>
}

/**
 * Builds the tree. Bundles that cannot be read, or that the tiles prove to be wrong, are made anew from blocks, and it is
 * built again: what the signed root covers then is right, whoever made it.
 */
export async function buildTree(at: Building): Promise<BuiltTree> {
  const stored: FetchPath = (path) => at.ports.objects.log.fetch(path)
  const anew = new Map<string, Wanted & { readonly bytes: Uint8Array }>()
  const fetch: FetchPath = async (path) => anew.get(path)?.bytes ?? stored(path)
  const bad = new Map<number, string>()
  const tried = new Set<string>()
  const { size } = at.tree.checkpoint
  for (let builds = 1; ; builds++) {
    const built = await buildOnce(at, fetch, bad)
    const damage = built.isSigned ? null : await damageOf(at, fetch, built)
    const suspects = built.isSigned
      ? await provenSuspects(stored, size, built.missing)
      : ((damage && suspectsOf(damage, size)) ?? (await unreadableSuspects(fetch, size, at.passed.edge.size)))
    const fresh = suspects.filter((wanted) => !tried.has(`${wanted.path} ${wanted.hashes === null}`))
    if (fresh.length === 0 || builds === MAX_BUILDS) {
      if (built.isSigned) await noteAnew(at.notes, stored, anew)
      take(at, built, damage?.unproven ?? [])
      return { bad: built.isSigned ? built.missing : null, fetch }
    }
    const found = await recoverBundles(at, fresh)
    for (const [i, wanted] of fresh.entries()) {
      tried.add(`${wanted.path} ${wanted.hashes === null}`)
      const recovered = found[i]
      if (!recovered) continue
      if (typeof recovered !== 'string') anew.set(wanted.path, { ...wanted, bytes: encodeBundle(recovered) })
      // Without hashes nothing would take its place.
      else if (wanted.hashes) bad.set(wanted.index, recovered)
    }
  }
}

function damageOf({ tree }: Building, fetch: FetchPath, { edge }: Built) {
  const { size, root } = tree.checkpoint
  return edge && findDamage({ fetch, size, root, built: edge })
}

/** Bundles that are not what they are to be, and can be made. */
async function noteAnew(
  notes: LogNotes,
  stored: FetchPath,
  anew: ReadonlyMap<string, { readonly bytes: Uint8Array }>,
): Promise<void> {
  for (const [path, { bytes }] of anew) {
    const there = await stored(path)
    if (there && equalBytes(there, bytes)) continue
    const [status, what] = there
      ? (['tampered', 'the bundle is not what the signed root covers'] as const)
      : (['missing', 'the bundle is not stored'] as const)
    const detail = `${what}; the blocks of all its leaves are stored, and make it`
    notes.find('bundle', status, path, detail, { kind: 'object', path, bytes })
  }
}

function take(at: Building, built: Built, unproven: readonly string[]): void {
  at.notes.take(built.notes)
  if (built.isSigned) {
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

async function buildOnce(at: Building, fetch: FetchPath, bad: ReadonlyMap<number, string>): Promise<Built> {
  const { passed, coverage } = at
  const { size, root } = at.tree.checkpoint
  const [notes, comparisons] = [new LogNotes(), new LogNotes()]
  const from = passed.edge.size
  const witnessed = witnessedFrom({ ...at, notes }, from === 0 ? 0 : from + 1)
  const missing = new Set(bad.keys())
  let next = Math.floor(from / TILE_WIDTH)
  at.begin()
  const edge = await rebuild({
    fetch,
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
      at.progress(first + entries.length)
      at.see(first, entries)
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
  const isSigned = edge !== null && equalBytes(edge.size === 0 ? merkleRoot([]) : rootOf(edge), root)
  return { edge, isSigned, notes, comparisons, missing }
}
