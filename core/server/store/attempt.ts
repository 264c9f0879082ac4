// SPDX-License-Identifier: Apache-2.0
import { canonicalBytes, parseCanonical, type JsonObject } from '../../bytes/canonical-json.ts'
import { fromUtf8 } from '../../bytes/encoding.ts'
import { asBlockId, asChainId, asDigest, type BlockId, type ChainId, type Digest } from '../../bytes/ids.ts'
import { timestampMs, toTimestamp, type Timestamp } from '../../bytes/timestamp.ts'
import { keysIn, type Block } from '../../block/block.ts'
import type { ParsedBlock } from '../../block/open-block.ts'
import { isAmpereError } from '../../errors.ts'
import type { Row } from '../../ports/table.ts'
import { rowKey } from './rows.ts'

/**
 * Names of the parts that one block needs beside itself. Each name is a digest of what it names, so it can be
 * looked for among those of other blocks.
 */
export interface PartNames {
  /** Root of the sealed object. */
  readonly object: Digest | null
  /** Row key of the key row: `<root>.<keys>`. */
  readonly row: string | null
  /** Root of the packages. */
  readonly packages: Digest | null
  /** Hash of the label key. */
  readonly label: Digest | null
  /** Hash of the control state; null for a record block, which names its parent's again. */
  readonly state: Digest | null
}

/**
 * One try to append a block, written as a dirty mark before anything else of it is stored. So there is no part
 * in any store without a mark that names it, and whoever tries again later renews the age of the parts.
 */
export interface Attempt extends MarkedBlock {
  readonly time: Timestamp
  readonly parts: PartNames
}

/** What sequencing needs of a mark: which block may have been stored since which time. */
export interface MarkedBlock {
  readonly chain: ChainId
  readonly block: BlockId
  readonly height: number
  readonly timeMs: number
}

/** The parts that a block names. */
export function partNames(block: Block): PartNames {
  const { entries } = block
  return {
    object: entries?.root ?? null,
    row: entries ? rowKey(entries) : null,
    packages: keysIn(block)?.packages ?? null,
    label: labelOf(block),
    state: block.type === 'record' ? null : block.state,
  }
}

/** The names as text, each with its kind, so that names of many blocks can lie in one set. */
export function namesIn(parts: PartNames): readonly string[] {
  return Object.entries(parts).flatMap(([kind, name]: [string, string | null]) =>
    name === null ? [] : [`${kind}/${name}`],
  )
}

/** Every shard of the dirty marks and partition of the list of chains: the first characters of chain ids, in order. */
export const CHAIN_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Shard of the dirty marks, by the chain's first character, so that marks spread evenly. */
export function dirtyShard(chain: ChainId): string {
  return chain.slice(0, 1)
}

/** The mark of an attempt: marks of a shard are in the order of time. */
export function markOf(
  parsed: ParsedBlock,
  nowMs: number,
): { readonly key: string; readonly value: Uint8Array } {
  const { id, chain, block } = parsed
  return {
    key: `${toTimestamp(nowMs)}/${chain}/${id}`,
    value: canonicalBytes({ v: 1, height: block.height, ...partNames(block) }),
  }
}

/** The attempt that a mark names; null for a row that is no mark, which then names nothing that could be removed. */
export function attemptOf(mark: Row): Attempt | null {
  return orNull(() => {
    const said = parseCanonical(mark.value) as JsonObject | null
    const marked = markedIn(mark.key, said)
    return (
      said &&
      marked && {
        ...marked,
        time: toTimestamp(marked.timeMs),
        parts: {
          object: digestIn(said, 'object'),
          row: rowIn(said),
          packages: digestIn(said, 'packages'),
          label: digestIn(said, 'label'),
          state: digestIn(said, 'state'),
        },
      }
    )
  })
}

/**
 * The block that a mark names, without its parts; null for a row that is no mark. What it says is only where to look,
 * and so it need not be spelled canonically: sequencers read each mark several times.
 */
export function markedBlock(mark: Row): MarkedBlock | null {
  return orNull(() => markedIn(mark.key, JSON.parse(fromUtf8(mark.value)) as JsonObject | null))
}

function markedIn(key: string, said: JsonObject | null): MarkedBlock | null {
  const [time = '', chain = '', block = ''] = key.split('/')
  const height = said?.['height']
  if (said?.['v'] !== 1 || typeof height !== 'number' || !Number.isSafeInteger(height) || height < 0)
    return null
  return { chain: asChainId(chain), block: asBlockId(block), height, timeMs: timestampMs(time) }
}

function orNull<T>(read: () => T | null): T | null {
  try {
    return read()
  } catch (error) {
    if (isAmpereError(error) || error instanceof SyntaxError) return null
    throw error
  }
}

function labelOf(block: Block): Digest | null {
  if (block.type === 'genesis') return block.body.labelKeyHash
  return keysIn(block)?.epoch?.labelKeyHash ?? null
}

function digestIn(said: JsonObject, name: string): Digest | null {
  const value = said[name]
  return typeof value === 'string' ? asDigest(value) : null
}

function rowIn(said: JsonObject): string | null {
  const value = said['row']
  if (typeof value !== 'string') return null
  const [root = '', keys = ''] = value.split('.')
  return rowKey({ root: asDigest(root), keys: asDigest(keys) })
}
