// SPDX-License-Identifier: Apache-2.0
import type { AnsweringRole } from '../host/cloud/alone.ts'
import { open } from './open.ts'
import * as writes from './operations.ts'
import { role } from './role.ts'
import * as uploads from './upload-operations.ts'

/** The writer in a process of its own. */
export const answering: AnsweringRole<(typeof role)['needs']> = {
  role,
  open,
  operations: [...Object.values(writes), ...Object.values(uploads)],
}
