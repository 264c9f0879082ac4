// SPDX-License-Identifier: Apache-2.0
import { addCheckpoint, WITNESS_TEXT_TYPE } from '#core/server/witness/add-checkpoint.ts'
import { readContradictions } from '#core/server/witness/evidence.ts'
import { readCosigned } from '#core/server/witness/logs.ts'
import type { Witness, WitnessPorts } from '#core/server/witness/needs.ts'
import type { Hosting, RoleApp } from '../host/app.ts'
import { createRoleApp, route } from '../host/operation.ts'
import * as operations from './operations.ts'

/** Cosigns checkpoints of the logs that its table knows. */
export function witnessApp(ports: WitnessPorts, witness: Witness, hosting: Hosting): RoleApp {
  return createRoleApp('witness', hosting, [
    route(operations.addCheckpoint, async (c, { body }) => {
      const answer = await addCheckpoint(ports, witness, body)
      return c.body(answer.body, answer.status, { 'content-type': answer.type })
    }),
    route(operations.readCosigned, async (c, { path }) =>
      c.body(await readCosigned(ports, path.log), 200, {
        'content-type': WITNESS_TEXT_TYPE,
        'cache-control': 'public, max-age=1',
      }),
    ),
    route(operations.listContradictions, async (c, { path, query }) =>
      c.json(await readContradictions(ports, path.log, query.from)),
    ),
  ])
}
