// SPDX-License-Identifier: Apache-2.0
import type { BlockId, Kid } from '../../bytes/ids.ts'
import type { Timestamp } from '../../bytes/timestamp.ts'
import type { BlockEntries } from '../../block/block.ts'
import { compactHash } from '../../block/leaf.ts'
import type { ParsedBlock } from '../../block/open-block.ts'

/** What a verified block leaves behind for its reader; the block itself need not stay in memory. */
export interface BlockNote {
  readonly height: number
  readonly id: BlockId
  readonly kid: Kid
  readonly time: Timestamp
  readonly op: string
  /** Height of the registry that it names. */
  readonly registry: number
  readonly entries: BlockEntries | null
  /** SHA-256 of the compact JWS, as the log has it. */
  readonly hash: Uint8Array
}

/** What to remember of a verified block. */
export function noteOf({ id, kid, block, compact }: ParsedBlock): BlockNote {
  const { height, time, op, entries, registry } = block
  return { height, id, kid, time, op, registry: registry.height, entries, hash: compactHash(compact) }
}
