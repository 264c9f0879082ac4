// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, utf8 } from '../../bytes/encoding.ts'
import type { BlockId, ChainId, Digest } from '../../bytes/ids.ts'
import { timestampMs } from '../../bytes/timestamp.ts'
import { compactHash, encodeLeaf, leafLabel, registryLabelKey } from '../../block/leaf.ts'
import type { ParsedBlock } from '../../block/open-block.ts'
import { digestOf } from '../../crypto/hash.ts'
import { AmpereError } from '../../errors.ts'
import type { Row } from '../../ports/table.ts'
import type { Home } from '../home.ts'
import { loggedHeight } from '../store/log.ts'
import { REGISTRY_PARTITION } from '../store/registry.ts'
import { BLOCKS_END, heightKey, loadState, parseStored } from '../store/rows.ts'
import type { SequencerPorts } from './needs.ts'

/** Blocks of one chain, or of the registry, that are to be logged, in order of height. */
export interface PendingRun {
  readonly chain: ChainId | Digest
  readonly from: number
  /** Time of the first of them as it was signed, in milliseconds. */
  readonly madeMs: number
  readonly blocks: readonly PendingBlock[]
}

/** One block that is to be logged. */
export interface PendingBlock {
  /** Its log entry. */
  readonly entry: Uint8Array
  /** Where the chain stands once it is logged. */
  readonly position: Position
}

/** Where a chain stands in the log: its newest logged block, and what labels the next one. */
export interface Position {
  /** -1 when nothing of it is logged. */
  readonly height: number
  readonly id: BlockId | null
  /** Hash of the state after that block. */
  readonly state: Digest | null
}

/** What sequencing remembers of chains between runs; forgotten whenever another sequencer committed. */
export interface ChainMemory {
  readonly positions: Map<string, Position>
  /**
   * Chains whose position was held against the log, or comes from a commit of this sequencer. Any other one is what rows
   * said when they were read, and those may have been an older copy.
   */
  readonly checked: Set<string>
  /** Label keys by chain and state. */
  readonly labelKeys: Map<string, Uint8Array>
}

/** Chains that are remembered; beyond that all are forgotten, which costs reads and nothing else. */
const MAX_REMEMBERED = 50_000

/** Nothing remembered. */
export function emptyMemory(): ChainMemory {
  return { positions: new Map(), checked: new Set(), labelKeys: new Map() }
}

/** Keeps the memory bounded. */
export function trimMemory({ positions, checked, labelKeys }: ChainMemory): void {
  if (positions.size > MAX_REMEMBERED) {
    positions.clear()
    checked.clear()
  }
  if (labelKeys.size > MAX_REMEMBERED) labelKeys.clear()
}

/** A chain, and the ids of blocks that marks name: a stored block with such an id is the one that a writer admitted. */
export interface MarkedChain {
  readonly chain: ChainId
  readonly marked: ReadonlySet<BlockId>
}

/**
 * Blocks of a chain behind its newest logged one, at most `limit`. They must follow each other: a store that put another
 * block in between is not signed for.
 * @returns null when there is nothing to log
 * @throws AmpereError STORE_CORRUPT
 */
export async function pendingOfChain(
  ports: SequencerPorts,
  memory: ChainMemory,
  { chain, marked }: MarkedChain,
  limit: number,
): Promise<PendingRun | null> {
  const known = memory.positions.get(chain)
  const height = known?.height ?? (await loggedHeight(ports.tables.leaves, chain))
  // Without memory the newest logged block is read again: the next one must follow it.
  const first = known || height < 0 ? height + 1 : height
  const rows = await ports.tables.blocks.range(chain, {
    from: heightKey(first),
    limit: Math.min(limit + 1, 1000),
  })
  const blocks = rows.map(({ value }) => parseStored(value, marked))
  const at = first === height ? afterLogged(blocks.shift(), chain, height) : known
  let position: Position = at ?? { height: -1, id: null, state: null }
  memory.positions.set(chain, position)
  const pending: PendingBlock[] = []
  for (const block of blocks.slice(0, limit)) {
    checkFollows(block, chain, position)
    const labelKey = await labelKeyFor(ports, memory, chain, block, position)
    position = { height: block.block.height, id: block.id, state: block.block.state }
    pending.push({
      entry: entryOf(leafLabel(labelKey, chain, position.height), block.compact),
      position,
    })
  }
  const [oldest] = blocks
  if (!oldest || pending.length === 0) return null
  return { chain, from: height + 1, madeMs: timestampMs(oldest.block.time), blocks: pending }
}

/** Blocks of the registry behind its newest logged one; each is checked against the registry that this home verified. */
export async function pendingOfRegistry(
  ports: SequencerPorts,
  home: Home,
  memory: ChainMemory,
  limit: number,
): Promise<PendingRun | null> {
  const { pinned } = home.registry
  const known = memory.positions.get(pinned)?.height
  const height = known ?? (await loggedHeight(ports.tables.leaves, pinned))
  const range = { from: heightKey(height + 1), to: BLOCKS_END, limit: Math.min(limit, 1000) }
  const rows = await ports.tables.registry.range(REGISTRY_PARTITION, range)
  if (rows.length === 0) {
    memory.positions.set(pinned, { height, id: null, state: null })
    return null
  }
  const history = await home.registry.refresh()
  const key = registryLabelKey(pinned)
  const blocks = rows.map((row, i) => {
    const at = height + 1 + i
    const compact = checkedRegistry(row, at, history.viewAt)
    return {
      entry: entryOf(leafLabel(key, pinned, at), compact),
      position: { height: at, id: null, state: null },
    }
  })
  // The first of them superseded the one before it.
  return { chain: pinned, from: height + 1, madeMs: history.supersededAt(height) ?? 0, blocks }
}

function entryOf(label: Uint8Array, compact: string): Uint8Array {
  return encodeLeaf({ label, hash: compactHash(compact) })
}

function afterLogged(block: ParsedBlock | undefined, chain: ChainId, height: number): Position {
  if (block?.chain !== chain || block.block.height !== height)
    throw new AmpereError('STORE_CORRUPT', 'the newest logged block of a chain is missing')
  return { height, id: block.id, state: block.block.state }
}

function checkFollows(block: ParsedBlock, chain: ChainId, { height, id }: Position): void {
  const prev = block.block.type === 'genesis' ? null : block.block.prev
  if (block.chain !== chain || block.block.height !== height + 1 || prev !== id)
    throw new AmpereError('STORE_CORRUPT', 'a stored block does not follow the one before it')
}

/** The label key of the state before a block; a genesis has its own. @throws AmpereError STORE_CORRUPT */
async function labelKeyFor(
  { tables }: SequencerPorts,
  memory: ChainMemory,
  chain: ChainId,
  { block }: ParsedBlock,
  { state }: Position,
): Promise<Uint8Array> {
  const known = memory.labelKeys.get(`${chain}/${state ?? ''}`)
  if (known) return known
  const hash =
    block.type === 'genesis' || state === null
      ? genesisLabel(block)
      : (await loadState(tables.states, chain, state)).labelKeyHash
  const row = await tables.labels.get(chain, hash)
  if (!row || digestOf(row.value) !== hash)
    throw new AmpereError('STORE_CORRUPT', 'a label key is missing or was changed')
  memory.labelKeys.set(`${chain}/${state ?? ''}`, row.value)
  return row.value
}

function genesisLabel(block: ParsedBlock['block']): Digest {
  if (block.type === 'genesis') return block.body.labelKeyHash
  throw new AmpereError('STORE_CORRUPT', 'a chain does not begin with a genesis')
}

function checkedRegistry(
  row: Row,
  height: number,
  viewAt: (head: { height: number; id: Digest }) => object | null,
): string {
  const compact = fromUtf8(row.value)
  const id = digestOf(utf8(compact.slice(0, compact.lastIndexOf('.'))))
  if (row.key !== heightKey(height) || !viewAt({ height, id }))
    throw new AmpereError('STORE_CORRUPT', 'a stored registry block was changed')
  return compact
}
