// SPDX-License-Identifier: Apache-2.0
import type { Verifiers } from '../../crypto/signature.ts'
import type { Now } from '../../ports/keys.ts'
import type { Ports } from '../../ports/needs.ts'

/** What witnessing uses: its own table and its own two keys. It reads no chain, and not the log of its own home either. */
export const WITNESS_NEEDS = {
  tables: { witness: 'write' },
  objects: {},
  keys: { witness: 'sign', 'witness-quantum': 'sign' },
} as const
export type WitnessPorts = Ports<typeof WITNESS_NEEDS>

/** A witness, beside its ports. */
export interface Witness {
  /** The name of both its keys; what tells them apart is the key ID. */
  readonly name: string
  readonly verifiers: Verifiers
  /** By which cosignatures are dated, as that of a home; else the clock of the ports. */
  readonly dated?: Now
}
