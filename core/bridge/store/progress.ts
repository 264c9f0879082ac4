// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, utf8 } from '../../bytes/encoding.ts'
import type { ChainId } from '../../bytes/ids.ts'
import type { WriteTable } from '../../ports/table.ts'
import type { SealedRows } from './sealed-rows.ts'

/** How far this bridge has taken note of a chain, kept over restarts. Falling back costs work, never truth. */
export interface Progress {
  /** Height up to which the chain's entries are in the index; -1 for none. */
  indexedTo(chain: ChainId): Promise<number>
  setIndexed(chain: ChainId, height: number): Promise<void>
  /** True when everything here of what the block at `height` erased was forgotten, and that was stated. */
  isSettled(chain: ChainId, height: number): Promise<boolean>
  setSettled(chain: ChainId, height: number): Promise<void>
}

/** Progress in the bridge's own table. */
export function createProgress(table: WriteTable, rows: SealedRows): Progress {
  const erasure = (chain: ChainId, height: number) => rows.nameOf('erasure', chain, String(height))
  return {
    indexedTo: async (chain) => {
      const row = await table.get('indexed', rows.nameOf('chain', chain))
      return row ? Number(fromUtf8(row.value)) : -1
    },
    setIndexed: async (chain, height) => {
      const name = rows.nameOf('chain', chain)
      const row = await table.get('indexed', name)
      // Whoever is behind loses the swap or repeats inserts that change nothing.
      if (Number(row ? fromUtf8(row.value) : -1) < height)
        await table.swap('indexed', name, row?.version ?? null, utf8(String(height)))
    },
    isSettled: async (chain, height) => (await table.get('settled', erasure(chain, height))) !== null,
    setSettled: async (chain, height) => {
      await table.insert('settled', erasure(chain, height), new Uint8Array(0))
    },
  }
}
