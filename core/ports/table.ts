// SPDX-License-Identifier: Apache-2.0

/** A stored row. `version` changes with every swap and means nothing else. */
export interface Row {
  readonly key: string
  readonly value: Uint8Array
  readonly version: string
}

/** Where a row is. */
export interface RowName {
  readonly partition: string
  readonly key: string
}

/** Keys are compared as UTF-8 bytes; `from` is included, `to` is not; the default is the whole partition. */
export interface Range {
  readonly from?: string
  readonly to?: string
  /** 1..1000 rows; default 1000. */
  readonly limit?: number
  /** Highest key first. */
  readonly reverse?: boolean
}

/**
 * Rows by partition and key.
 *
 * Consistency: strong; a read sees every write that was acknowledged before it began.
 * Durability: a write is durable when its promise resolves.
 * Failure: a rejected write may have been applied; callers read again or repeat an idempotent act.
 * Retries: by the caller, never inside.
 * Trust: for liveness, not for integrity; whoever holds the table can lose, roll back or replace rows.
 * @throws AmpereError STORE_UNAVAILABLE, STORE_FULL, STORE_CORRUPT
 */
export interface ReadTable {
  get(partition: string, key: string): Promise<Row | null>
  range(partition: string, range?: Range): Promise<readonly Row[]>
}

/** Adds rows and changes none. */
export interface AppendTable extends ReadTable {
  /** One atomic step: of many concurrent inserts of one key, exactly one is 'inserted'. */
  insert(partition: string, key: string, value: Uint8Array): Promise<'inserted' | 'exists'>
}

/** Also replaces and removes, by compare and swap. */
export interface WriteTable extends AppendTable {
  /**
   * Puts `next` (null removes) if the row's version is still `expected` (null: no row), in one atomic step.
   * @returns the new row's version, or null when another writer was first
   */
  swap(
    partition: string,
    key: string,
    expected: string | null,
    next: Uint8Array | null,
  ): Promise<string | null>
}

export type TableAccess = 'read' | 'append' | 'write'
export type TableOf<A extends TableAccess> = A extends 'write'
  ? WriteTable
  : A extends 'append'
    ? AppendTable
    : ReadTable
