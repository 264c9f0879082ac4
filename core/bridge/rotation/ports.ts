// SPDX-License-Identifier: Apache-2.0
import type { Rotator } from '../../client/acts/rotation/rotate-due.ts'
import type { Now } from '../../ports/keys.ts'
import type { WriteTable } from '../../ports/table.ts'
import type { PatientIndex } from '../store/patients.ts'
import type { OpenRecords } from './open-records.ts'

/** What rotating needs: the institution's own table, its patients, and a connection to the home. */
export interface RotationPorts {
  readonly table: WriteTable
  readonly patients: Pick<PatientIndex, 'list'>
  readonly open: OpenRecords
  readonly rotator: Rotator
  readonly now: Now
}
