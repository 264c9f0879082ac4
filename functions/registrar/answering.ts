// SPDX-License-Identifier: Apache-2.0
import type { AnsweringRole } from '../host/cloud/alone.ts'
import { open } from './open.ts'
import * as enrolments from './enrolment-operations.ts'
import * as operations from './operations.ts'
import { role } from './role.ts'

/** The registrar in a process of its own. */
export const answering: AnsweringRole<(typeof role)['needs']> = {
  role,
  open,
  operations: [...Object.values(operations), ...Object.values(enrolments)],
}
