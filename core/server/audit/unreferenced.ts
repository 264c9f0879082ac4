// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '../../bytes/ids.ts'
import type { Timestamp } from '../../bytes/timestamp.ts'
import { attemptOf, dirtyShard, namesIn, partNames, type PartNames } from '../store/attempt.ts'
import { heightKey, parseStored } from '../store/rows.ts'
import type { AuditorPorts } from './needs.ts'
import type { Notes } from './report.ts'

/** The tables whose rows lie under their chain, and what kind of part a row of each is. */
const KINDS = {
  wraps: 'row',
  packages: 'packages',
  labels: 'label',
  states: 'state',
} as const satisfies Record<string, keyof PartNames>
type PartTable = keyof typeof KINDS
const TABLES = Object.keys(KINDS) as readonly PartTable[]

/** Rows looked for at once among a chain's blocks: bounds the memory, whatever a chain's length. */
const SLICE = 20_000
/** Unreferenced rows listed of one table of one chain. */
const MAX_LISTED = 1000
const PAGE = 500
/** 2^48: sums stay exact. */
const SUM_MODULUS = 281_474_976_710_656

/** A sum over row keys that does not depend on their order, to compare what blocks name with what is stored. */
interface Sum {
  count: number
  sum: number
}

/** The rows that the walk over a chain has seen named, summed up by table. */
export interface Named {
  readonly see: (table: PartTable, key: string) => void
  readonly sums: Readonly<Record<PartTable, Sum>>
}

export function nothingNamed(): Named {
  const sums = { wraps: zero(), packages: zero(), labels: zero(), states: zero() }
  return { sums, see: (table, key) => add(sums[table], key) }
}

/**
 * Flags the rows of a chain that none of its blocks names. They may be an append in flight, or one that failed
 * and that the sweep will take; `since` is the last attempt that named them. Costs one read of the tables where
 * all is in order: only where the sums differ are the rows looked for one by one.
 */
export async function flagUnreferenced(
  ports: AuditorPorts,
  chain: ChainId,
  named: Named,
  notes: Notes,
): Promise<void> {
  for (const table of TABLES) {
    if (await isAllNamed(ports, chain, table, named.sums[table])) continue
    const left = await findLeft(ports, chain, table)
    const times = await attemptTimes(ports, chain, left)
    for (const [key, name] of left)
      notes.flag(null, 'unreferenced', `${table}: ${key}`, times.get(name) ?? null)
  }
}

async function isAllNamed(
  ports: AuditorPorts,
  chain: ChainId,
  table: PartTable,
  expected: Sum,
): Promise<boolean> {
  const stored = zero()
  for (let from = ''; ;) {
    const rows = await ports.tables[table].range(chain, { from })
    const last = rows.at(-1)
    if (!last) return stored.count === expected.count && stored.sum === expected.sum
    for (const row of rows) add(stored, row.key)
    from = `${last.key}\u0000`
  }
}

/** Rows that no block names, as row key and name of the part. */
async function findLeft(ports: AuditorPorts, chain: ChainId, table: PartTable): Promise<Map<string, string>> {
  const left = new Map<string, string>()
  let slice = new Map<string, string>()
  for (let from = ''; left.size < MAX_LISTED;) {
    const rows = await ports.tables[table].range(chain, { from })
    const last = rows.at(-1)
    for (const row of rows) slice.set(row.key, nameOf(table, row.key))
    if (!last || slice.size >= SLICE) {
      for (const [key, name] of await unnamedOf(ports, chain, slice))
        if (left.size < MAX_LISTED) left.set(key, name)
      slice = new Map()
    }
    if (!last) break
    from = `${last.key}\u0000`
  }
  return left
}

async function unnamedOf(
  ports: AuditorPorts,
  chain: ChainId,
  rows: ReadonlyMap<string, string>,
): Promise<readonly (readonly [string, string])[]> {
  const names = new Set(rows.values())
  for (let height = 0; names.size > 0; height += PAGE) {
    const blocks = await ports.tables.blocks.range(chain, { from: heightKey(height), limit: PAGE })
    for (const row of blocks)
      for (const name of namesIn(partNames(parseStored(row.value).block))) names.delete(name)
    if (blocks.length < PAGE) break
  }
  return [...rows].filter(([, name]) => names.has(name))
}

/** When each of the parts was last tried to be appended. */
async function attemptTimes(
  ports: AuditorPorts,
  chain: ChainId,
  left: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, Timestamp>> {
  const wanted = new Set(left.values())
  const times = new Map<string, Timestamp>()
  for (let from = ''; wanted.size > 0;) {
    const marks = await ports.tables.dirty.range(dirtyShard(chain), { from })
    const last = marks.at(-1)
    if (!last) break
    for (const mark of marks) {
      const attempt = attemptOf(mark)
      if (attempt?.chain !== chain) continue
      for (const name of namesIn(attempt.parts)) if (wanted.has(name)) times.set(name, attempt.time)
    }
    from = `${last.key}\u0000`
  }
  return times
}

/** The part that a row belongs to, as `namesIn` says it: many packages are one part. */
function nameOf(table: PartTable, key: string): string {
  return `${KINDS[table]}/${table === 'packages' ? (key.split('/')[0] ?? '') : key}`
}

function zero(): Sum {
  return { count: 0, sum: 0 }
}

/** FNV-1a of the key, added up. */
function add(to: Sum, key: string): void {
  let hash = 0x811c9dc5
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
  to.count++
  to.sum = (to.sum + (hash >>> 0)) % SUM_MODULUS
}
