// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, toBase64url } from '../../bytes/encoding.ts'
import { asChainId, type ChainId, type Digest } from '../../bytes/ids.ts'
import { AmpereError } from '../../errors.ts'
import type { BlockKeysAnswer, BlocksAnswer, HeldAnswer, NotesAnswer } from '../../api/answers.ts'
import { MAX_PAGE_BLOCKS, MAX_PAGE_NOTES } from '../../api/limits.ts'
import type { Range, ReadTable } from '../../ports/table.ts'
import { CHAIN_CHARACTERS, partNames } from '../store/attempt.ts'
import { LOG_PARTITION, PUBLISHED_KEY, WITNESSED_PARTITION } from '../store/log.ts'
import { movedReceipts, type MovedReceipts } from '../store/moved-receipts.ts'
import { fitting, pageOf } from '../store/page.ts'
import { REGISTRY_PARTITION } from '../store/registry.ts'
import {
  BLOCKS_END,
  chainPartition,
  heightKey,
  loadBlock,
  objectName,
  parsePackage,
  rangeUnder,
} from '../store/rows.ts'
import type { ReadStores } from './stores.ts'

/**
 * Where a home's contents are copied from: the home itself over HTTP, or a copy of it. Nothing that it gives is believed
 * before it was verified.
 */
export interface HomeSource {
  registryBlocks(from: number): Promise<BlocksAnswer>
  /**
   * A page of the chains that may be copied, from `from` on, each with the height of its newest block. The chains of all
   * pages come in one order, and so does `next`.
   */
  chains(from: ChainId | null): Promise<HeldAnswer>
  blocks(chain: ChainId, from: number): Promise<BlocksAnswer>
  keyRow(chain: ChainId, name: string): Promise<Uint8Array | null>
  object(chain: ChainId, root: Digest, maxBytes: number): Promise<Uint8Array | null>
  /** What the block at a height brought beside its entries. */
  blockKeys(chain: ChainId, height: number): Promise<BlockKeysAnswer>
  /** Statements that erasures were carried out. */
  erased(chain: ChainId): Promise<readonly string[]>
  /** Receipts of the logs of homes that the chain left. */
  moved(chain: ChainId): Promise<MovedReceipts>
  /** The newest published checkpoint; null before the log begins. */
  checkpoint(): Promise<string | null>
  /** A page of the checkpoints that had the quorum, as it says, from this size on, in order of size. */
  witnessed(from: number): Promise<NotesAnswer>
  /** A tile or bundle of the log by its path. */
  logFile(path: string): Promise<Uint8Array | null>
}

/** Pages without a chain that may follow each other: a copy has rows of chains of which it has no block. */
const MAX_EMPTY_PAGES = 100

/** Partitions of the list of chains, in the order of bytes. */
const PARTITIONS = Array.from(CHAIN_CHARACTERS).toSorted()
const MAX_PAGE_CHAINS = 500
/** With a partition before it the lowest id that there can be in it: the last character stands for four bits. */
const LOWEST_REST = `${'-'.repeat(41)}0`

/** A copy as a source. */
export function storedSource({ tables, objects }: ReadStores): HomeSource {
  return {
    registryBlocks: (from) => page(tables.registry.range(REGISTRY_PARTITION, range(from)), from),
    chains: (from) => storedChains(tables, from),
    blocks: (chain, from) => page(tables.blocks.range(chain, range(from)), from),
    keyRow: async (chain, name) => (await tables.wraps.get(chain, name))?.value ?? null,
    object: (chain, root) => objects.entries.fetch(objectName(chain, root)),
    blockKeys: (chain, height) => storedKeys(tables, chain, height),
    erased: async (chain) => {
      const statements: string[] = []
      for await (const row of allRows(tables.receipts, chain, rangeUnder('erased')))
        statements.push(fromUtf8(row.value))
      return statements
    },
    moved: (chain) => movedReceipts(tables.receipts, chain),
    checkpoint: async () => {
      const row = await tables.checkpoints.get(LOG_PARTITION, PUBLISHED_KEY)
      return row && fromUtf8(row.value)
    },
    witnessed: async (from) => {
      const asked = { from: heightKey(from), limit: MAX_PAGE_NOTES + 1 }
      const rows = await tables.checkpoints.range(WITNESSED_PARTITION, asked)
      const items = [...fitting(rows.slice(0, MAX_PAGE_NOTES).map((row) => fromUtf8(row.value)))]
      const next = rows[items.length]
      return { items, next: next ? Number(next.key) : null }
    },
    logFile: (path) => objects.log.fetch(path),
  }
}

async function page(
  rows: Promise<readonly { readonly value: Uint8Array }[]>,
  from: number,
): Promise<BlocksAnswer> {
  return pageOf(await rows, from, MAX_PAGE_BLOCKS)
}

function range(from: number): Range {
  return { from: heightKey(from), to: BLOCKS_END, limit: MAX_PAGE_BLOCKS }
}

/** Every chain of a copy. @throws AmpereError UPSTREAM_FAILED for page after page without any */
export async function* chainsOf(source: HomeSource): AsyncIterable<ChainId> {
  let empty = 0
  for (let from: ChainId | null = null; ;) {
    const { items, next }: HeldAnswer = await source.chains(from)
    for (const { chain } of items) yield chain
    if (next === null) return
    empty = items.length === 0 ? empty + 1 : 0
    if (empty > MAX_EMPTY_PAGES)
      throw new AmpereError('UPSTREAM_FAILED', 'the copy pages through its chains without end')
    from = next
  }
}

/** Every registry block of a copy, in order. */
export async function* allRegistryBlocks(source: Pick<HomeSource, 'registryBlocks'>): AsyncIterable<string> {
  for (let height = 0; ;) {
    const { items } = await source.registryBlocks(height)
    if (items.length === 0) return
    yield* items
    height += items.length
  }
}

/** All rows of a partition in turn. */
export async function* allRows(
  table: ReadTable,
  partition: string,
  { from: first, to }: { readonly from?: string; readonly to?: string } = {},
) {
  for (let from = first ?? ''; ;) {
    const rows = await table.range(partition, to === undefined ? { from } : { from, to })
    yield* rows
    const last = rows.at(-1)
    if (!last) return
    from = `${last.key}\u0000`
  }
}

/** Chains of one partition of their list at a time; some have none. In the order of bytes, partitions too. */
async function storedChains(
  { chains, blocks }: ReadStores['tables'],
  from: ChainId | null,
): Promise<HeldAnswer> {
  const partition = from === null ? (PARTITIONS[0] ?? '') : chainPartition(from)
  const rows = await chains.range(partition, { from: from ?? '', limit: MAX_PAGE_CHAINS + 1 })
  const items: HeldAnswer['items'] = []
  for (const { key } of rows.slice(0, MAX_PAGE_CHAINS)) {
    const chain = asChainId(key)
    const [head] = await blocks.range(chain, { reverse: true, limit: 1 })
    if (head) items.push({ chain, height: Number(head.key) })
  }
  const more = rows[MAX_PAGE_CHAINS]
  return { items, next: more ? asChainId(more.key) : firstAfter(partition) }
}

/** The first id that the partition behind this one could have. */
function firstAfter(partition: string): ChainId | null {
  const next = PARTITIONS[PARTITIONS.indexOf(partition) + 1]
  return next === undefined ? null : asChainId(next + LOWEST_REST)
}

async function storedKeys(
  { blocks, packages, labels }: ReadStores['tables'],
  chain: ChainId,
  height: number,
): Promise<BlockKeysAnswer> {
  const stored = await loadBlock(blocks, chain, height)
  const names = stored && partNames(stored.block)
  const rows = names?.packages ? await packages.range(chain, rangeUnder(names.packages)) : []
  const label = names?.label ? await labels.get(chain, names.label) : null
  return {
    packages: rows.flatMap((row) => parsePackage(row.value) ?? []),
    labelKey: label && toBase64url(label.value),
  }
}
