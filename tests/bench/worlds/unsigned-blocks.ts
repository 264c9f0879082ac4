// SPDX-License-Identifier: Apache-2.0
import { fromBase64url, fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import type { BlockId, ChainId } from '#core/bytes/ids.ts'
import type { RecordBlock } from '#core/block/block.ts'
import type { ParsedBlock } from '#core/block/open-block.ts'
import type { Replica } from '#core/client/read/replica.ts'
import { digestOf } from '#core/crypto/hash.ts'
import { dirtyShard, markOf } from '#core/server/store/attempt.ts'
import { heightKey } from '#core/server/store/rows.ts'
import type { TestDeployment } from '#tests/deployment.ts'
import { insertPrepared } from './prepared-chain.ts'

/**
 * Appends blocks and their marks as writers leave them, signed by nobody: admission looks at that, sequencing does not.
 */
export async function growUnsigned(world: TestDeployment, replica: Replica, count: number): Promise<Replica> {
  const { instance } = world.institution('hospital-a')
  const unsigned = { ...instance, sign: async () => new Uint8Array(64).fill(1) }
  const blocks = world.platform.table('blocks')
  const from = replica.link.opened.block.height + 1
  const at = { ...replica, notes: Array.from({ length: from }) as unknown as Replica['notes'] }
  const next = await insertPrepared(blocks, at, unsigned, from + count - 1)
  const dirty = world.platform.table('dirty')
  for (const { value } of await blocks.range(replica.chain, { from: heightKey(from), limit: count })) {
    const mark = markOf(known(replica.chain, fromUtf8(value)), world.clock.now)
    await dirty.insert(dirtyShard(replica.chain), mark.key, mark.value)
  }
  return next
}

/** A block that was just made: parsing it as one that a stranger sent takes longer than everything else here. */
function known(chain: ChainId, compact: string): ParsedBlock {
  const input = compact.slice(0, compact.lastIndexOf('.'))
  const block = JSON.parse(fromUtf8(fromBase64url(input.slice(input.indexOf('.') + 1)))) as RecordBlock
  return { id: digestOf(utf8(input)) as string as BlockId, chain, block, compact } as ParsedBlock
}
