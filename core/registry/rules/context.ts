// SPDX-License-Identifier: Apache-2.0
import type { InstitutionId } from '../../bytes/ids.ts'
import type { Timestamp } from '../../bytes/timestamp.ts'
import type { KeyRecord, RegistryRecord } from '../records.ts'
import type { RegistryState } from '../state.ts'

/** Who makes a change and who agrees to it. */
export interface ChangeContext {
  readonly author: InstitutionId
  readonly use: KeyRecord['use']
  readonly height: number
  /** Of the block. */
  readonly time: Timestamp
  readonly approvers: ReadonlySet<InstitutionId>
  /** The state before the block, whose members vote: not the one before the change. */
  readonly parent: RegistryState
}

/** The records that a change puts in place. */
export type Put = readonly RegistryRecord[]
