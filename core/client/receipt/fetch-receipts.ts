// SPDX-License-Identifier: Apache-2.0
import type { Connection } from '../connect.ts'
import type { BlockNote } from '../read/block-note.ts'
import type { Replica } from '../read/replica.ts'

/** Receipts that are asked for at a time. */
const AT_ONCE = 8

/** A block with what the home gives as its receipt, unchecked; null while it is not logged. */
export interface FetchedReceipt {
  readonly note: BlockNote
  readonly receipt: string | null
}

/** Asks the home for the receipt of each block of a record, in order of height. */
export async function* fetchReceipts(
  { api }: Connection,
  { notes, chain }: Replica,
): AsyncGenerator<FetchedReceipt> {
  for (let from = 0; from < notes.length; from += AT_ONCE) {
    const group = notes.slice(from, from + AT_ONCE)
    yield* await Promise.all(
      group.map(async (note) => ({ note, receipt: await api.receipt(chain, note.id, note.height) })),
    )
  }
}
