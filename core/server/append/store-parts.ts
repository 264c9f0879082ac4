// SPDX-License-Identifier: Apache-2.0
import { keysIn } from '../../block/block.ts'
import { fromBase64url, fromUtf8, utf8 } from '../../bytes/encoding.ts'
import type { ChainId } from '../../bytes/ids.ts'
import { timestampMs, toTimestamp } from '../../bytes/timestamp.ts'
import type { ParsedBlock } from '../../block/open-block.ts'
import type { Append } from '../../api/append.ts'
import { CLOCK_TOLERANCE_MS } from '../../api/limits.ts'
import { stateBytes, type Link } from '../../chain/state.ts'
import { AmpereError } from '../../errors.ts'
import type { AppendTable } from '../../ports/table.ts'
import { dirtyShard, markOf } from '../store/attempt.ts'
import { erasureJob, JOBS_ERASE, JOBS_SWEEP } from '../store/jobs.ts'
import {
  chainPartition,
  heldPartition,
  holdersPutBy,
  objectName,
  packageRowKey,
  rowKey,
} from '../store/rows.ts'
import { refuseCopy } from './copies.ts'
import type { AppendPorts } from './needs.ts'

/** How long storing may take before the block is given up, in milliseconds: its mark must still count when it commits. */
export const APPEND_DEADLINE_MS = 10 * 60_000
/** By how much clocks of one home's processes differ at most, in milliseconds. */
export const CLOCKS_DIFFER_MS = 5 * 60_000

/** One thing to store before the block: `put` is false when it was there. */
interface Part {
  readonly put: () => Promise<boolean>
  readonly isThere: () => Promise<boolean>
}

/**
 * Stores everything that a block needs, first the mark that names it all.
 * @returns the time of the mark, in milliseconds
 * @throws AmpereError STORE_UNAVAILABLE, also while older parts of this chain are being removed, or after the deadline
 */
export async function storeParts(
  ports: AppendPorts,
  parsed: ParsedBlock,
  append: Append,
  link: Link,
): Promise<number> {
  const { block, chain } = parsed
  const { tables } = ports
  const startedMs = await mark(ports, parsed)
  const wereThere: Part[] = []
  for (const part of partsOf(ports, parsed, append, link)) if (!(await part.put())) wereThere.push(part)
  if (block.type === 'genesis') await tables.chains.insert(chainPartition(chain), chain, new Uint8Array(0))
  // Before the block, so that no grant to hold is without its row; one of a block that never committed names nothing.
  for (const institution of holdersPutBy(block))
    await tables.chains.insert(heldPartition(institution), chain, new Uint8Array(0))
  if (block.type === 'erase' && block.body.act === 'complete') {
    await tables.jobs.insert(JOBS_ERASE, erasureJob(chain, block.height), utf8(parsed.id))
  }
  if (wereThere.length > 0) {
    await refuseCopy(tables.blocks, parsed)
    await keep(ports, chain, wereThere)
  }
  if (ports.now() - startedMs > APPEND_DEADLINE_MS)
    throw new AmpereError('STORE_UNAVAILABLE', 'storing took too long; send the block again')
  return startedMs
}

/** Marks a block for whoever logs blocks and for the sweep. @returns the time of the mark, in milliseconds */
export async function mark({ tables, now }: AppendPorts, parsed: ParsedBlock): Promise<number> {
  const nowMs = now()
  const { key, value } = markOf(parsed, nowMs)
  await tables.dirty.insert(dirtyShard(parsed.chain), key, value)
  return nowMs
}

/** True when there is a mark of this block: none is older than what the home's clock may have been before its time. */
export async function isMarked({ tables }: AppendPorts, { chain, id, block }: ParsedBlock): Promise<boolean> {
  const since = timestampMs(block.time) - CLOCK_TOLERANCE_MS - CLOCKS_DIFFER_MS
  for (let from: string = toTimestamp(Math.max(0, since)); ;) {
    const rows = await tables.dirty.range(dirtyShard(chain), { from })
    if (rows.some(({ key }) => key.endsWith(`/${chain}/${id}`))) return true
    const last = rows.at(-1)
    if (!last) return false
    from = `${last.key}\u0000`
  }
}

/**
 * Parts that were there may be old ones that the sweep is about to remove. It announces itself, then looks for
 * marks, then removes; this attempt left its mark, then stored, and looks for the announcement only now. So
 * either the sweep saw the mark and keeps the parts, or it is announced still, or it is done: then what it took
 * is stored again.
 */
async function keep(ports: AppendPorts, chain: ChainId, parts: readonly Part[]): Promise<void> {
  if (await ports.tables.jobs.get(JOBS_SWEEP, chain)) {
    throw new AmpereError('STORE_UNAVAILABLE', 'older parts of this chain are being removed; try again later')
  }
  for (const part of parts) if (!(await part.isThere())) await part.put()
}

function partsOf(ports: AppendPorts, parsed: ParsedBlock, append: Append, link: Link): Part[] {
  const { block, chain } = parsed
  const { tables, objects } = ports
  const parts: Part[] = []
  if (block.entries && append.object && append.row !== null) {
    const { object } = append
    const name = objectName(chain, block.entries.root)
    parts.push(keyRowPart(ports, chain, rowKey(block.entries), append.row))
    parts.push({
      put: async () => (await objects.entries.store(name, object)) === 'stored',
      isThere: async () => (await objects.entries.fetch(name, { start: 0, end: 1 })) !== null,
    })
  }
  const packages = keysIn(block)?.packages ?? null
  if (packages !== null) {
    for (const item of append.packages) {
      const key = packageRowKey(packages, item)
      parts.push(rowPart(tables.packages, chain, key, utf8(JSON.stringify(item))))
    }
  }
  if (append.labelKey !== null) {
    parts.push(rowPart(tables.labels, chain, link.state.labelKeyHash, fromBase64url(append.labelKey)))
  }
  // Unchanged states are named again, not stored again: a record block writes no state.
  if (block.type !== 'record') {
    parts.push(rowPart(tables.states, chain, block.state, stateBytes(link.state)))
  }
  return parts
}

/**
 * The key row, which is stored first: tombstones keep the root that a row had, so one that was erased lies where
 * the one that is sent belongs. Then nothing of it may come back, the object included.
 */
function keyRowPart(ports: AppendPorts, chain: ChainId, key: string, row: string): Part {
  const { wraps } = ports.tables
  const part = rowPart(wraps, chain, key, utf8(row))
  const put = async () => {
    if (await part.put()) return true
    const stored = await wraps.get(chain, key)
    if (stored && fromUtf8(stored.value) !== row)
      throw new AmpereError('BLOCK_REFUSED', 'append: keys of these entries were erased; seal them anew')
    return false
  }
  return { ...part, put }
}

function rowPart(table: AppendTable, chain: ChainId, key: string, value: Uint8Array): Part {
  return {
    put: async () => (await table.insert(chain, key, value)) === 'inserted',
    isThere: async () => (await table.get(chain, key)) !== null,
  }
}
