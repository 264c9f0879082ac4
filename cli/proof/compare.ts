// SPDX-License-Identifier: Apache-2.0
import { toBase64url } from '#core/bytes/encoding.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { descriptorLeaf, maxObjectBytes, readDescriptors } from '#core/block/entries-object.ts'
import { keyRowLeaves, parseKeyRow } from '#core/block/key-row.ts'
import { parseBlock } from '#core/block/open-block.ts'
import type { Connection } from '#core/client/connect.ts'
import { isAmpereError } from '#core/errors.ts'
import { rootOf } from '#core/log/merkle.ts'

/** What a block names and what the store holds under that name. */
export interface Compared {
  readonly what: 'key row' | 'sealed object'
  /** The root that was signed. */
  readonly signed: string
  /** The root of what is stored; null when nothing is, or it cannot be read. */
  readonly stored: string | null
}

/** Compares the stored parts of one block with what its author signed. */
export async function compareParts(
  connection: Connection,
  chain: ChainId,
  height: number,
): Promise<readonly Compared[]> {
  const page = await connection.api.blocks(chain, height)
  const entries = page.items[0] === undefined ? null : parseBlock(page.items[0]).block.entries
  if (!entries) return []
  const [row, object] = await Promise.all([
    connection.api.keyRow(chain, `${entries.root}.${entries.keys}`),
    connection.api.object(chain, entries.root, maxObjectBytes(entries)),
  ])
  return [
    {
      what: 'key row',
      signed: entries.keys,
      stored: rootFrom(row, (bytes) => keyRowLeaves(parseKeyRow(bytes))),
    },
    {
      what: 'sealed object',
      signed: entries.root,
      stored: rootFrom(object, (bytes) => readDescriptors(bytes).map(descriptorLeaf)),
    },
  ]
}

function rootFrom(
  bytes: Uint8Array | null,
  leaves: (bytes: Uint8Array) => readonly Uint8Array[],
): string | null {
  if (!bytes) return null
  try {
    return toBase64url(rootOf(leaves(bytes)))
  } catch (error) {
    if (isAmpereError(error)) return null
    throw error
  }
}
