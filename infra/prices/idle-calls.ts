// SPDX-License-Identifier: Apache-2.0

/** Calls of stores: of tables one row, a range, a write; of objects. */
export interface StoreCalls {
  readonly get: number
  readonly range: number
  readonly write: number
  readonly fetch: number
  readonly store: number
}

/**
 * What each role asks of its stores when its schedule calls it and there is nothing to do, and of how many tables. A test
 * measures it anew. Rows are small then: none has more than 4 KiB, and most ranges are empty.
 */
export const IDLE_CALLS: Readonly<Record<string, StoreCalls & { readonly tables: number }>> = {
  sequencer: { get: 2, range: 65, write: 1, fetch: 0, store: 0, tables: 3 },
  worker: { get: 1, range: 1, write: 0, fetch: 0, store: 0, tables: 2 },
  // Of a home of the registry.
  follower: { get: 0, range: 1, write: 0, fetch: 0, store: 0, tables: 1 },
  monitor: { get: 0, range: 0, write: 0, fetch: 0, store: 0, tables: 0 },
  eraser: { get: 0, range: 1, write: 0, fetch: 0, store: 0, tables: 1 },
  auditor: { get: 6, range: 75, write: 0, fetch: 2, store: 0, tables: 5 },
  mirror: { get: 0, range: 0, write: 0, fetch: 0, store: 0, tables: 0 },
  sweeper: { get: 0, range: 67, write: 0, fetch: 0, store: 0, tables: 3 },
  // Of a bridge: no readings wait, and the last round is less than an hour old.
  checker: { get: 1, range: 1, write: 0, fetch: 0, store: 0, tables: 1 },
}
