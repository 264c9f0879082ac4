// SPDX-License-Identifier: Apache-2.0
import type { Now, Random } from '../../ports/keys.ts'
import type { ShredObjects, StoreObjects } from '../../ports/objects.ts'
import type { ReadTable, WriteTable } from '../../ports/table.ts'
import type { Uploads } from '../../ports/uploads.ts'

/** What knows which uploads are open: they count against a quota, and lie with the quotas. */
export interface OffersPorts {
  readonly tables: { readonly quotas: WriteTable }
  readonly now: Now
}

/** What ends uploads. */
export interface EndPorts extends OffersPorts {
  readonly objects: { readonly uploads: ShredObjects }
}

/** What offers them. */
export interface OfferPorts extends EndPorts {
  readonly uploads: Uploads | null
  readonly random: Random
}

/** What takes them in where the home does that itself. */
export interface TakePorts {
  readonly objects: { readonly uploads: StoreObjects }
  readonly uploads: Uploads | null
  readonly now: Now
}

/** What takes in only those that are open. */
export interface ReceivePorts extends TakePorts {
  readonly tables: { readonly quotas: ReadTable }
  readonly objects: { readonly uploads: ShredObjects }
}
