// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '../../bytes/encoding.ts'
import type { BlockId, ChainId, EntryId } from '../../bytes/ids.ts'
import type { Timestamp } from '../../bytes/timestamp.ts'
import type { EraseBlock } from '../../block/block.ts'
import { verifyJws } from '../../block/jws.ts'
import type { ParsedBlock } from '../../block/open-block.ts'
import { isStoreOf, parseErased } from '../../api/erased.ts'
import { isAmpereError } from '../../errors.ts'
import type { Row } from '../../ports/table.ts'
import { keyRecordOf, recordOf, type RegistryView } from '../../registry/snapshot.ts'
import type { Home } from '../home.ts'
import { JOBS_ERASE, parseErasureJob } from '../store/jobs.ts'
import { erasedRow, loadBlock, rangeUnder } from '../store/rows.ts'
import type { AuditorPorts } from './needs.ts'
import type { Notes } from './report.ts'

/** The end of a job's key; a row with another is none of ours. */
const HEIGHT = /\/\d{16}$/

/** A completed erasure. */
export interface Order {
  readonly id: BlockId
  readonly height: number
  readonly time: Timestamp
  readonly scope: EraseBlock['body']['scope']
  /** The home has signed that it is carried out, so what it orders must be gone. */
  readonly isCarriedOut: boolean
}

/** What a chain's erasures order. */
export interface Erasures {
  readonly orders: readonly Order[]
  /** The orders that aim at one entry of the block at `height`. */
  readonly aimedAt: (height: number, entry: EntryId) => readonly Order[]
  /** The orders that aim at anything in the block at `height`. */
  readonly aimedInto: (height: number) => readonly Order[]
  /** How many entries of a block with `count` are ordered to be erased. */
  readonly countAt: (height: number, count: number) => number
  /** How many of them the home has stated to be gone. */
  readonly countCarriedOut: (height: number, count: number) => number
}

/**
 * The erasures of a chain, found by their jobs, so that its blocks are read once. `more` are heights of completed
 * erasures that have no job. Checks the statements on the way.
 */
export async function loadErasures(
  ports: AuditorPorts,
  home: Home,
  chain: ChainId,
  more: readonly number[],
  newest: RegistryView | null,
  notes: Notes,
): Promise<Erasures> {
  const completed = new Map<number, ParsedBlock<EraseBlock>>()
  for (const height of [...(await jobHeights(ports, chain)), ...more]) {
    const parsed = await readBlock(ports, chain, height)
    if (isCompletion(parsed)) completed.set(height, parsed)
    else notes.flag(height, 'unreferenced', 'an erasure job without its block')
  }
  const carriedOut = await checkStatements(ports, home, chain, completed, newest, notes)
  const entries = new Map<number, Map<EntryId, Order[]>>()
  const orders: Order[] = []
  for (const { id, block } of completed.values()) {
    const { height, time, body } = block
    const order = { id, height, time, scope: body.scope, isCarriedOut: carriedOut.has(height) }
    orders.push(order)
    for (const target of body.targets) {
      const there = entries.get(target.height) ?? new Map<EntryId, Order[]>()
      for (const entry of target.ids) there.set(entry, [...(there.get(entry) ?? []), order])
      entries.set(target.height, there)
    }
  }
  return lookUp(orders, entries)
}

function lookUp(
  orders: readonly Order[],
  entries: ReadonlyMap<number, ReadonlyMap<EntryId, readonly Order[]>>,
): Erasures {
  const whole = (height: number) =>
    orders.filter((order) => order.scope === 'record' && height < order.height)
  return {
    orders,
    aimedAt: (height, entry) => [...(entries.get(height)?.get(entry) ?? []), ...whole(height)],
    aimedInto: (height) => [...[...(entries.get(height)?.values() ?? [])].flat(), ...whole(height)],
    countAt: (height, count) => (whole(height).length > 0 ? count : (entries.get(height)?.size ?? 0)),
    countCarriedOut: (height, count) => {
      if (whole(height).some((order) => order.isCarriedOut)) return count
      const aimed = [...(entries.get(height)?.values() ?? [])]
      return aimed.filter((list) => list.some((order) => order.isCarriedOut)).length
    },
  }
}

async function jobHeights(ports: AuditorPorts, chain: ChainId): Promise<readonly number[]> {
  const heights: number[] = []
  const { from: first, to } = rangeUnder(chain)
  for (let from = first; ;) {
    const jobs = await ports.tables.jobs.range(JOBS_ERASE, { from, to })
    const last = jobs.at(-1)
    if (!last) return heights
    for (const job of jobs) if (HEIGHT.test(job.key)) heights.push(parseErasureJob(job.key).height)
    from = `${last.key}\u0000`
  }
}

/** The block at a height; null when it is not there or cannot be read, which the walk over the chain names. */
async function readBlock(ports: AuditorPorts, chain: ChainId, height: number): Promise<ParsedBlock | null> {
  try {
    return await loadBlock(ports.tables.blocks, chain, height)
  } catch (error) {
    if (isAmpereError(error, 'STORE_CORRUPT')) return null
    throw error
  }
}

function isCompletion(parsed: ParsedBlock | null): parsed is ParsedBlock<EraseBlock> {
  return parsed?.block.type === 'erase' && parsed.block.body.act === 'complete'
}

/** @returns the heights of erasures for which this home's own good statement is stored */
async function checkStatements(
  ports: AuditorPorts,
  home: Home,
  chain: ChainId,
  completed: ReadonlyMap<number, ParsedBlock>,
  newest: RegistryView | null,
  notes: Notes,
): Promise<ReadonlySet<number>> {
  const carriedOut = new Set<number>()
  const { from: first, to } = rangeUnder('erased')
  for (let from = first; ;) {
    const rows = await ports.tables.receipts.range(chain, { from, to })
    const last = rows.at(-1)
    if (!last) return carriedOut
    for (const row of rows) {
      const height = Number(/^erased\/(\d{16})/.exec(row.key)?.[1] ?? '0')
      const said = await openStatement(home, chain, newest, row, height)
      if (said === null)
        notes.find(
          height,
          'tampered',
          'erased-statement',
          'a stored erasure statement is not what its holder signed',
        )
      else if (said.block !== completed.get(height)?.id)
        notes.find(height, 'missing', 'erased-block', 'an erasure was stated whose block is not here')
      else if (said.isOwn) carriedOut.add(height)
    }
    from = `${last.key}\u0000`
  }
}

/** A statement that its holder signed and that lies where it belongs, else null. Keys may be retired since. */
async function openStatement(
  home: Home,
  chain: ChainId,
  newest: RegistryView | null,
  row: Row,
  height: number,
): Promise<{ readonly block: BlockId; readonly isOwn: boolean } | null> {
  try {
    const { jws, erased } = parseErased(fromUtf8(row.value))
    const key = newest && keyRecordOf(newest, jws.kid)
    if (!key || erased.chain !== chain) return null
    await verifyJws(jws, key.jwk, home.verifiers)
    const deployment = 'deployment' in key.owner && key.use === 'head' ? key.owner.deployment : null
    const isOwn = deployment === home.deployment
    // Another home said it, where the chain was before.
    const isLeft = deployment !== null && recordOf(newest, 'deployment', deployment)?.origin === erased.store
    const isHolders =
      isLeft ||
      ('institution' in key.owner && key.use === 'sign' && isStoreOf(key.owner.institution, erased.store))
    const isTheirs = isOwn ? erased.store === home.origin : isHolders
    const place = erasedRow(height, isOwn ? null : erased.store)
    return isTheirs && row.key === place ? { block: erased.block, isOwn } : null
  } catch (error) {
    if (isAmpereError(error)) return null
    throw error
  }
}

/** Flags the erasures that are ordered and not carried out yet. */
export function flagWaiting(erasures: Erasures, notes: Notes): void {
  for (const order of erasures.orders) {
    if (!order.isCarriedOut)
      notes.flag(order.height, 'erasure-waits', 'ordered, and this home has not stated it yet', order.time)
  }
}
