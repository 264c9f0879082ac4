// SPDX-License-Identifier: Apache-2.0
import { parseBlock, type ParsedBlock } from '../../block/open-block.ts'
import type { Connection } from '../connect.ts'
import type { Replica } from '../read/replica.ts'

/** The block at a height, asked for again, if it is the one that was verified there; null where it is another, or there is none. */
export async function verifiedBlock(
  { api }: Pick<Connection, 'api'>,
  { chain, notes }: Pick<Replica, 'chain' | 'notes'>,
  height: number,
): Promise<ParsedBlock | null> {
  const { items } = await api.blocks(chain, height)
  const block = items[0] === undefined ? null : parseBlock(items[0])
  return block !== null && block.id === notes[height]?.id ? block : null
}
