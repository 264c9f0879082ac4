// SPDX-License-Identifier: Apache-2.0
import type { TableName } from '../../ports/needs.ts'
import type { FetchObjects, ShredObjects } from '../../ports/objects.ts'
import type { ReadTable, WriteTable } from '../../ports/table.ts'

/** Tables of a home that a copy of it has too. Leaves and marks are made anew from blocks and log. */
export const COPIED = [
  'blocks',
  'states',
  'wraps',
  'packages',
  'labels',
  'chains',
  'jobs',
  'receipts',
  'registry',
  'checkpoints',
] as const satisfies readonly TableName[]
type Copied = (typeof COPIED)[number]

/** The stores of a home, or of a copy of one: what is copied from and to. */
export interface HomeStores {
  readonly tables: { readonly [N in Copied]: WriteTable }
  readonly objects: { readonly entries: ShredObjects; readonly log: ShredObjects }
}

/** The same, only to be read. */
export interface ReadStores {
  readonly tables: { readonly [N in Copied]: ReadTable }
  readonly objects: { readonly entries: FetchObjects; readonly log: FetchObjects }
}
