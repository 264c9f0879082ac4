// SPDX-License-Identifier: Apache-2.0
import { parseCanonical } from '../../bytes/canonical-json.ts'
import { fromBase64url, fromUtf8 } from '../../bytes/encoding.ts'
import type { ChainId, Digest, InstitutionId } from '../../bytes/ids.ts'
import { parseWith } from '../../bytes/schema.ts'
import type { Block } from '../../block/block.ts'
import { parseAdmitted, parseBlock, type ParsedBlock } from '../../block/open-block.ts'
import { packageKey } from '../../block/packages.ts'
import type { BlocksAnswer } from '../../api/answers.ts'
import { MAX_PAGE_BLOCKS } from '../../api/limits.ts'
import { packageSchema, type EpochPackage } from '../../api/append.ts'
import type { ControlState } from '../../chain/state.ts'
import { digestOf } from '../../crypto/hash.ts'
import { AmpereError, isAmpereError } from '../../errors.ts'
import type { ReadTable } from '../../ports/table.ts'
import { pageOf } from './page.ts'

/** Blocks that are read at once when a chain is looked through. */
const PAGE = 500

/** Row key of a height: 16 digits, so that the order of keys is the order of heights. */
export function heightKey(height: number): string {
  return String(height).padStart(16, '0')
}

/** Keys of blocks are below this one: what else is in a partition of blocks comes behind them. */
export const BLOCKS_END = ':'

/** Row key of a key row: a row is found by what it holds, so nobody can put another in its place. */
export function rowKey(entries: { readonly root: Digest; readonly keys: Digest }): string {
  return `${entries.root}.${entries.keys}`
}

/** Name of the object with a block's entries; the chain is in it, so that chains share nothing. */
export function objectName(chain: ChainId, root: Digest): string {
  return `${chain}/${root}`
}

/**
 * Row key of a package: `<body.packages>/<name>/<hash of the sealed bytes>`. Packages are found by the block that
 * names them, so those of an attempt that never committed, or of an earlier grant, stand in nobody's way.
 */
export function packageRowKey(root: Digest, item: EpochPackage): string {
  return `${root}/${packageKey(item)}/${digestOf(fromBase64url(item.sealed))}`
}

/** Row key of a statement that an erasure was carried out: the home's own has no holder in it. */
export function erasedRow(height: number, holder: string | null): string {
  const own = `erased/${heightKey(height)}`
  return holder === null ? own : `${own}/${holder}`
}

/** A stored package; null when it was changed beyond reading, which closes itself only and which the auditor names. */
export function parsePackage(value: Uint8Array): EpochPackage | null {
  try {
    return parseWith(packageSchema, JSON.parse(fromUtf8(value)), 'STORE_CORRUPT', 'package')
  } catch (error) {
    if (isAmpereError(error) || error instanceof SyntaxError) return null
    throw error
  }
}

/** The keys that begin with `prefix` and a slash, as a range. */
export function rangeUnder(prefix: string): { readonly from: string; readonly to: string } {
  // '0' is the character after '/'.
  return { from: `${prefix}/`, to: `${prefix}0` }
}

/** Partition of the list of chains: 64 even parts. */
export function chainPartition(chain: ChainId): string {
  return chain.slice(0, 1)
}

/** Partition of the list of chains with those that an institution was ever granted to hold; the chain says whether it still is. */
export function heldPartition(institution: InstitutionId): string {
  return `held/${institution}`
}

/** Institutions to which a block grants that they hold its chain. */
export function holdersPutBy(block: Block): readonly InstitutionId[] {
  if (block.type !== 'control') return []
  return block.body.grants.put.flatMap(({ institution, rights }) =>
    rights.includes('hold') ? [institution] : [],
  )
}

/**
 * A block as the table holds it. What was admitted was well-formed, so what is not was changed since; a record block
 * whose id is in `admitted` is as it was admitted, but for its signature.
 * @throws AmpereError STORE_CORRUPT
 */
export function parseStored(value: Uint8Array, admitted?: ReadonlySet<string>): ParsedBlock {
  try {
    const compact = fromUtf8(value)
    return admitted ? parseAdmitted(compact, admitted) : parseBlock(compact)
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', 'a stored block was changed', { cause })
  }
}

/** The newest block of a chain, or null when there is no such chain. */
export async function loadHead(blocks: ReadTable, chain: ChainId): Promise<ParsedBlock | null> {
  const [row] = await blocks.range(chain, { reverse: true, limit: 1 })
  return row ? parseStored(row.value) : null
}

/** The block at a height, or null. */
export async function loadBlock(
  blocks: ReadTable,
  chain: ChainId,
  height: number,
): Promise<ParsedBlock | null> {
  const row = await blocks.get(chain, heightKey(height))
  return row ? parseStored(row.value) : null
}

/** Blocks of a partition from a height on, in order. `limit` beyond a page gives a page. */
export async function blockPage(
  blocks: ReadTable,
  partition: string,
  from: number,
  limit: number,
): Promise<BlocksAnswer> {
  const size = Math.min(limit, MAX_PAGE_BLOCKS)
  const rows = await blocks.range(partition, { from: heightKey(from), to: BLOCKS_END, limit: size })
  return pageOf(rows, from, size)
}

/**
 * Whether a block of the chain names the object with this root; reads the chain, or the part below a height.
 * @throws AmpereError STORE_CORRUPT
 */
export async function isObjectNamed(
  blocks: ReadTable,
  chain: ChainId,
  root: Digest,
  { below, besides }: { readonly below?: number; readonly besides?: number },
): Promise<boolean> {
  const end = below === undefined ? {} : { to: heightKey(below) }
  for (let from = 0; ; from += PAGE) {
    const rows = await blocks.range(chain, { from: heightKey(from), ...end, limit: PAGE })
    for (const row of rows) {
      const isMeant = besides === undefined || row.key !== heightKey(besides)
      if (isMeant && parseStored(row.value).block.entries?.root === root) return true
    }
    if (rows.length < PAGE) return false
  }
}

/**
 * The control state that a block names, checked against its hash. States lie under their chain, so that
 * chains share nothing and cleaning up after one never takes from another.
 * @throws AmpereError STORE_CORRUPT when it is absent or another
 */
export async function loadState(states: ReadTable, chain: ChainId, hash: Digest): Promise<ControlState> {
  const row = await states.get(chain, hash)
  if (!row) throw new AmpereError('STORE_CORRUPT', 'a control state is missing')
  if (digestOf(row.value) !== hash) throw new AmpereError('STORE_CORRUPT', 'a control state was changed')
  return parseCanonical(row.value) as unknown as ControlState
}
