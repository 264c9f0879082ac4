// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, utf8 } from '../bytes/encoding.ts'
import type { BlockId, ChainId } from '../bytes/ids.ts'
import { toTimestamp } from '../bytes/timestamp.ts'
import type { EraseTarget } from '../block/block.ts'
import { readDescriptors } from '../block/entries-object.ts'
import { encodeKeyRow, entomb, parseKeyRow, type KeyRow } from '../block/key-row.ts'
import type { ParsedBlock } from '../block/open-block.ts'
import { signErased } from '../api/erased.ts'
import { AmpereError } from '../errors.ts'
import type { Ports } from '../ports/needs.ts'
import type { ShredObjects } from '../ports/objects.ts'
import type { ReadTable, WriteTable } from '../ports/table.ts'
import type { Home } from './home.ts'
import { JOBS_ERASE, parseErasureJob } from './store/jobs.ts'
import { erasedRow, heightKey, loadBlock, objectName, parseStored, rowKey } from './store/rows.ts'

/** What carrying out erasures uses: the only role that removes anything. */
export const ERASER_NEEDS = {
  tables: {
    blocks: 'read',
    wraps: 'write',
    packages: 'write',
    jobs: 'read',
    receipts: 'append',
  },
  objects: { entries: 'shred' },
  keys: { head: 'sign' },
} as const
export type EraserPorts = Ports<typeof ERASER_NEEDS>

/** Which of the erasures that are ordered: all, or those that this home has not stated to have carried out. */
export type WhichErasures = 'all' | 'unstated'

/**
 * Carries out every erasure that a committed block orders; safe to repeat, and after any crash.
 * All run at start before anything is served, so that a restored store erases again, and on schedule.
 * @returns how many erasures stand carried out
 * @throws AmpereError of the first that failed, after all were tried
 */
export async function carryOutErasures(
  ports: EraserPorts,
  home: Home,
  which: WhichErasures = 'all',
): Promise<number> {
  const { done, failures } = await tryErasures(ports, home, which)
  if (failures.length > 0) throw failures[0]
  return done
}

/** The same, and what kept each erasure that waits from being carried out. */
export async function tryErasures(
  ports: EraserPorts,
  home: Home,
  which: WhichErasures = 'all',
): Promise<{ readonly done: number; readonly failures: readonly unknown[] }> {
  const failures: unknown[] = []
  let done = 0
  for (let from = ''; ;) {
    const rows = await ports.tables.jobs.range(JOBS_ERASE, { from })
    for (const row of rows) {
      try {
        const { chain, height } = parseErasureJob(row.key)
        const isDone = which === 'unstated' && (await isCarriedOut(ports, chain, height))
        done += isDone || (await carryOutErasure(ports, home, chain, height)) ? 1 : 0
      } catch (error) {
        failures.push(error)
      }
    }
    const last = rows.at(-1)
    if (!last) return { done, failures }
    from = `${last.key}\u0000`
  }
}

/** Carries out the erasure that the block at `height` completes. @returns false when no such block was committed */
export async function carryOutErasure(
  ports: EraserPorts,
  home: Home,
  chain: ChainId,
  height: number,
): Promise<boolean> {
  const ordered = await loadBlock(ports.tables.blocks, chain, height)
  // The order was never committed, or another block won its height: nothing was ordered.
  if (ordered?.block.type !== 'erase' || ordered.block.body.act !== 'complete') return false
  await shredOrdered(ports, ordered)
  await stateErased(ports, home, ordered)
  return true
}

/** Whether this home stated that it carried out the erasure that the block at `height` completes. */
export async function isCarriedOut(ports: EraserPorts, chain: ChainId, height: number): Promise<boolean> {
  return (await ports.tables.receipts.get(chain, erasedRow(height, null))) !== null
}

/** What destroying uses, in a home and in a mirror's copy of one. */
export interface ShredPorts {
  readonly tables: { readonly blocks: ReadTable; readonly wraps: WriteTable; readonly packages: WriteTable }
  readonly objects: { readonly entries: ShredObjects }
}

/** Destroys what a completed erase block orders to be erased; safe to repeat. @throws AmpereError STORE_CORRUPT */
export async function shredOrdered(ports: ShredPorts, ordered: ParsedBlock): Promise<void> {
  const { block, chain } = ordered
  if (block.type !== 'erase') return
  const { body, height } = block
  const targets = body.scope === 'record' ? await everything(ports, chain, height) : body.targets
  for (const target of targets) await shredTarget(ports, ordered, target)
  if (body.scope === 'record') await removePackages(ports, chain)
}

/** Signed once: the first statement is the one that counts, however often the erasure is carried out again. */
async function stateErased(ports: EraserPorts, home: Home, { id, chain, block }: ParsedBlock): Promise<void> {
  const key = erasedRow(block.height, null)
  if (await ports.tables.receipts.get(chain, key)) return
  const nowMs = ports.now()
  const statement = await signErased(
    {
      v: 1,
      chain,
      block: id,
      store: home.origin,
      at: toTimestamp(nowMs),
      backupsExpire: toTimestamp(nowMs + home.backupDays * 86_400_000),
    },
    ports.keys.head,
  )
  await ports.tables.receipts.insert(chain, key, utf8(statement))
}

async function shredTarget(
  ports: ShredPorts,
  ordered: ParsedBlock,
  target: { readonly height: number; readonly ids: EraseTarget['ids'] | 'all' },
): Promise<void> {
  const aimed = await loadBlock(ports.tables.blocks, ordered.chain, target.height)
  const entries = aimed?.block.entries
  if (!entries) return
  const name = objectName(ordered.chain, entries.root)
  const object = await ports.objects.entries.fetch(name)
  const rowIsEmpty = await entombRow(ports, ordered.chain, rowKey(entries), ordered.id, (row) => {
    if (target.ids === 'all') return [...row.keys.keys()]
    if (row.keys.every((key) => 'erased' in key)) return []
    if (!object && target.ids.length === row.keys.length) return [...row.keys.keys()]
    // Without the descriptors nobody knows which key belongs to which entry: wait for a restored object.
    if (!object) throw new AmpereError('STORE_CORRUPT', 'an object is missing; its erasure waits')
    const wanted = new Set<string>(target.ids)
    return readDescriptors(object).flatMap((descriptor, i) => (wanted.has(descriptor.id) ? [i] : []))
  })
  if (rowIsEmpty) await ports.objects.entries.shred(name)
}

/** Turns keys into tombstones by compare and swap. @returns true when no key is left in the row */
async function entombRow(
  ports: ShredPorts,
  chain: ChainId,
  key: string,
  erase: BlockId,
  choose: (row: KeyRow) => readonly number[],
): Promise<boolean> {
  for (;;) {
    const row = await ports.tables.wraps.get(chain, key)
    if (!row) return true
    const before = parseKeyRow(row.value)
    const after = entomb(before, choose(before), erase)
    const empty = after.keys.every((item) => 'erased' in item)
    const bytes = encodeKeyRow(after)
    if (fromUtf8(bytes) === fromUtf8(row.value)) return empty
    if ((await ports.tables.wraps.swap(chain, key, row.version, bytes)) !== null) return empty
  }
}

async function everything(
  ports: ShredPorts,
  chain: ChainId,
  before: number,
): Promise<{ height: number; ids: 'all' }[]> {
  const targets: { height: number; ids: 'all' }[] = []
  for (let from = 0; from < before; from += 1000) {
    const rows = await ports.tables.blocks.range(chain, { from: heightKey(from), to: heightKey(before) })
    for (const row of rows) {
      const parsed = parseStored(row.value)
      if (parsed.block.entries) targets.push({ height: parsed.block.height, ids: 'all' })
    }
  }
  return targets
}

async function removePackages(ports: ShredPorts, chain: ChainId): Promise<void> {
  for (;;) {
    const rows = await ports.tables.packages.range(chain)
    if (rows.length === 0) return
    for (const row of rows) await ports.tables.packages.swap(chain, row.key, row.version, null)
  }
}
