// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, utf8 } from '../../bytes/encoding.ts'
import type { Now } from '../../ports/keys.ts'
import type { WriteTable } from '../../ports/table.ts'
import type { SealedRows } from './sealed-rows.ts'

/** Names that were seen, each remembered until its time: by every process of the bridge, because the table is theirs together. */
export interface Marks {
  /** Of many who mark one name at once, exactly one is the first. @returns false when the name is marked already */
  mark(untilMs: number, ...name: readonly string[]): Promise<boolean>
  isMarked(...name: readonly string[]): Promise<boolean>
  /** Removes what is past. Nothing depends on it but the size of the table. @returns how many */
  sweep(): Promise<number>
}

/** Marks of one kind in the bridge's own table: keyed hashes of the names, and when they are past. */
export function createMarks(table: WriteTable, rows: SealedRows, kind: string, now: Now): Marks {
  const isPast = (value: Uint8Array) => Number(fromUtf8(value)) <= now()
  return {
    mark: async (untilMs, ...name) => {
      const key = rows.nameOf(kind, ...name)
      const value = utf8(String(untilMs))
      if ((await table.insert(kind, key, value)) === 'inserted') return true
      const row = await table.get(kind, key)
      // Swept since: whoever comes next finds no row, and this one is refused at worst once too often.
      if (!row || !isPast(row.value)) return false
      return (await table.swap(kind, key, row.version, value)) !== null
    },
    isMarked: async (...name) => {
      const row = await table.get(kind, rows.nameOf(kind, ...name))
      return row !== null && !isPast(row.value)
    },
    sweep: async () => {
      let removed = 0
      for (let from = ''; ;) {
        const page = await table.range(kind, { from })
        for (const { key, value, version } of page)
          if (isPast(value) && (await table.swap(kind, key, version, null)) !== null) removed++
        const last = page.at(-1)
        if (!last) return removed
        from = `${last.key}\u0000`
      }
    },
  }
}
