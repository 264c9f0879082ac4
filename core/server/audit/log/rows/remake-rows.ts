// SPDX-License-Identifier: Apache-2.0
import { toHex } from '../../../../bytes/encoding.ts'
import type { ChainId, Digest } from '../../../../bytes/ids.ts'
import { decodeLeaf, leafLabel } from '../../../../block/leaf.ts'
import type { Run } from '../report.ts'
import type { Comparing } from '../blocks/compare-chain.ts'
import { runsOf } from './coverage.ts'
import { differ, rowsFor } from './rows-for.ts'
import { walkChain, type Expected } from '../blocks/walk-chain.ts'

/** Blocks whose leaves are looked for in one reading of the log. */
const BATCH_BLOCKS = 65_536
/** Blocks behind the end of a chain whose leaves are looked for: they are lost, and the log has them. */
const PROBES = 64

/** How large the committed tree is, and the one before it was. */
export interface Committed {
  readonly size: number
  readonly before: number
}

/** What making rows anew needs. */
export interface Remaking extends Comparing {
  /** Whether each leaf can be read. */
  readonly knowsLeaves: boolean
  /** What is committed: rows may be of a larger tree than the one that is audited. Null where that is not known. */
  readonly committed: Committed | null
}

/** Where the blocks of a chain are in the log. */
export interface Remade {
  /** By height. */
  readonly positions: ReadonlyMap<number, number>
  /** Heights at which the very block that is stored was logged. */
  readonly exact: ReadonlySet<number>
}

interface Suspect {
  readonly chain: ChainId | Digest
  readonly positions: Map<number, number>
  readonly exact: Set<number>
  /** Heights of blocks that are not stored, and that the log has. */
  readonly lost: Set<number>
  readonly expected: Map<number, Expected>
  /** The height up to which blocks are looked for. */
  end: number
  readonly endKey: Uint8Array | null
  readonly existing: Run[]
  /** Rows that cannot be read. */
  unreadable: number
}

/**
 * Finds the leaves of chains by their labels, whatever rows say, and says which rows they should have. A block that is lost
 * keeps its place, also where its row is lost: no other may ever be logged with its label. A row that nothing
 * contradicts stays.
 */
export async function remakeRows(
  at: Remaking,
  chains: readonly (ChainId | Digest)[],
): Promise<ReadonlyMap<ChainId | Digest, Remade>> {
  const done: Suspect[] = []
  let batch: Suspect[] = []
  let blocks = 0
  for (const [i, chain] of chains.entries()) {
    const suspect = await suspectOf(at, chain)
    batch.push(suspect)
    blocks += suspect.expected.size
    if (blocks < BATCH_BLOCKS && i < chains.length - 1) continue
    await locate(at, batch)
    for (const each of batch) keepOwn(at, each)
    done.push(...batch)
    batch = []
    blocks = 0
  }
  for (const suspect of done) await conclude(at, suspect)
  return new Map(done.map((suspect) => [suspect.chain, suspect]))
}

async function suspectOf(at: Remaking, chain: ChainId | Digest): Promise<Suspect> {
  const expected = new Map<number, Expected>()
  const { height: end, key: endKey } = await walkChain(at, chain, (each) => expected.set(each.height, each))
  const existing: Run[] = []
  let unreadable = 0
  for await (const { run } of runsOf(at.ports.tables.leaves, chain, 0)) {
    if (run) existing.push(run)
    else unreadable++
  }
  const found = { positions: new Map(), exact: new Set<number>(), lost: new Set<number>() }
  return { chain, ...found, expected, end, endKey, existing, unreadable }
}

interface Sought {
  readonly suspect: Suspect
  readonly height: number
  /** In hexadecimal; null where the block is not stored. */
  readonly hash: string | null
}

/** Reads the log once, and again while blocks are found behind the ends of chains. */
async function locate(at: Remaking, suspects: readonly Suspect[]): Promise<void> {
  const byLabel = new Map<string, Sought>()
  const byHash = new Map<string, Sought>()
  for (const suspect of suspects) {
    for (const { height, label, hash } of suspect.expected.values()) {
      const sought = { suspect, height, hash: hash && toHex(hash) }
      if (label) byLabel.set(toHex(label), sought)
      else if (hash) byHash.set(toHex(hash), sought)
    }
    probe(suspect, byLabel)
  }
  for (;;) {
    await readLeaves(at, byLabel, byHash)
    byLabel.clear()
    byHash.clear()
    for (const suspect of suspects) if (suspect.positions.has(suspect.end - 1)) probe(suspect, byLabel)
    if (byLabel.size === 0) return
  }
}

function probe(suspect: Suspect, byLabel: Map<string, Sought>): void {
  const { chain, endKey, end } = suspect
  if (!endKey) return
  for (let height = end; height < end + PROBES; height++)
    byLabel.set(toHex(leafLabel(endKey, chain, height)), { suspect, height, hash: null })
  suspect.end += PROBES
}

async function readLeaves(
  { size, leafAt, claims }: Remaking,
  byLabel: ReadonlyMap<string, Sought>,
  byHash: ReadonlyMap<string, Sought>,
): Promise<void> {
  for (let leaf = 0; leaf < size; leaf++) {
    const entry = await leafAt(leaf)
    if (!entry) continue
    const { label, hash } = decodeLeaf(entry)
    const name = toHex(hash)
    const sought = byLabel.get(toHex(label)) ?? byHash.get(name)
    if (!sought) continue
    const { suspect, height } = sought
    const isExact = sought.hash === name
    // Two leaves with one label: the one of the block that is stored, else the first.
    if (suspect.positions.has(height) && (!isExact || suspect.exact.has(height))) continue
    suspect.positions.set(height, leaf)
    if (isExact) suspect.exact.add(height)
    if (sought.hash === null) suspect.lost.add(height)
    claims.explain(leaf)
  }
}

/** Forgets what is not needed any more of a chain: which heights its rows may keep is decided by now, but for other chains. */
function keepOwn({ knowsLeaves }: Remaking, { expected, positions }: Suspect): void {
  for (const [height, { label, hash }] of expected) {
    // In the log it would have been found: a row that says otherwise is wrong.
    const isFound = positions.has(height) || !knowsLeaves
    if (isFound || label === null || hash === null) expected.delete(height)
  }
}

/** Adds what only rows say and nothing contradicts, and notes which rows there should be. */
async function conclude(at: Remaking, suspect: Suspect): Promise<void> {
  const { chain, positions, lost, expected, existing, unreadable } = suspect
  const limit = Math.max(at.committed?.size ?? 0, at.size)
  const found = new Set(positions.values())
  for (const { from, count, index } of existing)
    for (let i = 0; i < Math.min(count, limit - index); i++) {
      const [height, leaf] = [from + i, index + i]
      if (positions.has(height) || found.has(leaf)) continue
      // Beyond the tree that is audited nothing is known but what was committed.
      if (leaf < at.size && (expected.has(height) || at.claims.isExplained(leaf))) continue
      positions.set(height, leaf)
      found.add(leaf)
    }
  for (const height of lost) {
    const detail = `leaf ${positions.get(height) ?? ''} is of a block that is not stored`
    at.notes.find('logged-block', 'missing', `block ${chain}/${height}`, detail)
  }
  const runs = rowsFor(positions, existing, at.committed?.before ?? 0)
  if (unreadable === 0 && !differ(runs, existing)) return
  // A leaf that cannot be read may be the one of a block that was not found.
  const isDecided = at.knowsLeaves || !(await hasUnplaced(at, suspect))
  const detail = isDecided
    ? 'the rows of this chain are not where its leaves are'
    : 'the rows of this chain are wrong, and leaves that may be of its blocks cannot be read'
  const remedy = isDecided ? ({ kind: 'leaves', chain, runs } as const) : null
  at.notes.find('leaf-row', 'tampered', `leaves/${chain}`, detail, remedy)
}

async function hasUnplaced(at: Remaking, { chain, positions }: Suspect): Promise<boolean> {
  let isUnplaced = false
  await walkChain(at, chain, ({ height, hash }) => {
    if (hash && !positions.has(height)) isUnplaced = true
  })
  return isUnplaced
}
