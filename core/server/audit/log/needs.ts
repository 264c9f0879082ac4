// SPDX-License-Identifier: Apache-2.0
import type { LogKey } from '../../../log/note/key.ts'
import type { Policy } from '../../../log/policy/policy.ts'
import type { FetchObjects } from '../../../ports/objects.ts'
import type { Now } from '../../../ports/keys.ts'
import type { ReadTable } from '../../../ports/table.ts'

/** What auditing the log reads. */
export interface LogAuditPorts {
  readonly tables: {
    readonly blocks: ReadTable
    readonly states: ReadTable
    readonly labels: ReadTable
    readonly chains: ReadTable
    readonly dirty: ReadTable
    readonly registry: ReadTable
    readonly leaves: ReadTable
    readonly checkpoints: ReadTable
  }
  readonly objects: { readonly log: FetchObjects }
  readonly now: Now
}

/** Whom an audit of a log believes: public keys alone. */
export interface LogTrust {
  /** Every key of the log: each must have signed each checkpoint. */
  readonly keys: readonly LogKey[]
  /** Who must have cosigned what is kept as witnessed; null where nobody witnesses. */
  readonly policy: Policy | null
}
