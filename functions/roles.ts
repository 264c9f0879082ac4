// SPDX-License-Identifier: Apache-2.0
import * as audits from './auditor/operations.ts'
import { role as auditor } from './auditor/role.ts'
import * as discoveries from './discovery/operations.ts'
import { role as discovery } from './discovery/role.ts'
import { role as eraser } from './eraser/role.ts'
import { role as follower } from './follower/role.ts'
import { openApiDocument } from './host/openapi/document.ts'
import type { Operation } from './host/operation.ts'
import * as keeping from './keeper/operations.ts'
import { role as keeper } from './keeper/role.ts'
import * as lookups from './lookup/operations.ts'
import { role as lookup } from './lookup/role.ts'
import { role as monitor } from './monitor/role.ts'
import * as holding from './reader/hold-operations.ts'
import * as reads from './reader/operations.ts'
import { role as reader } from './reader/role.ts'
import * as enrolments from './registrar/enrolment-operations.ts'
import * as registrations from './registrar/operations.ts'
import * as proposing from './registrar/proposal-operations.ts'
import { role as registrar } from './registrar/role.ts'
import { role as sequencer } from './sequencer/role.ts'
import { role as sweeper } from './sweeper/role.ts'
import * as cosigning from './witness/operations.ts'
import { role as witness } from './witness/role.ts'
import * as jobs from './worker/operations.ts'
import { role as worker } from './worker/role.ts'
import * as writes from './writer/operations.ts'
import { role as writer } from './writer/role.ts'
import * as uploads from './writer/upload-operations.ts'

/** Every role of a home. */
export const HOME_ROLES = [
  discovery,
  writer,
  reader,
  registrar,
  follower,
  auditor,
  sequencer,
  witness,
  monitor,
  lookup,
  keeper,
  sweeper,
  eraser,
  worker,
] as const

/** Every operation of a home, by role. */
export const HOME_OPERATIONS: Readonly<Record<(typeof HOME_ROLES)[number]['name'], readonly Operation[]>> = {
  discovery: Object.values(discoveries),
  writer: [...Object.values(writes), ...Object.values(uploads)],
  reader: [...Object.values(reads), ...Object.values(holding)],
  registrar: [...Object.values(registrations), ...Object.values(proposing), ...Object.values(enrolments)],
  follower: [],
  auditor: Object.values(audits),
  sequencer: [],
  witness: Object.values(cosigning),
  monitor: [],
  lookup: Object.values(lookups),
  keeper: Object.values(keeping),
  sweeper: [],
  eraser: [],
  worker: Object.values(jobs),
}

/** The OpenAPI document of a home, the same wherever it runs. */
export function homeDocument(): object {
  return openApiDocument(HOME_OPERATIONS)
}
