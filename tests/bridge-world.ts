// SPDX-License-Identifier: Apache-2.0
import { loadDefinitions, loadKnowledge, loadSensitivity } from '#adapters/local/definitions.ts'
import { memoryTable } from '#adapters/memory/table.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createAccessLog } from '#core/bridge/access.ts'
import { createBridge, type Bridge } from '#core/bridge/bridge.ts'
import { createPatientIndex } from '#core/bridge/patients.ts'
import { recordItems } from '#core/bridge/record-items.ts'
import { recordClient } from '#core/client/acts/acts.ts'
import type { Connection } from '#core/client/connect.ts'
import type { WriteTable } from '#core/ports/table.ts'
import { checkRecord } from '#core/consistency/check.ts'
import { createValidator } from '#core/record/fhir/validate.ts'
import { createLabelPolicy } from '#core/record/labels/label.ts'
import { bridgeApp } from '#functions/bridge/app.ts'
import type { RoleApp } from '#functions/host/app.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { ORIGIN, type TestDeployment } from '#tests/deployment.ts'

export const validator = createValidator(loadDefinitions())
export const policy = createLabelPolicy(loadSensitivity())
export const knowledge = loadKnowledge()

/** A bridge of one institution of a test deployment, with its FHIR endpoint. */
export interface BridgeWorld {
  readonly bridge: Bridge
  readonly connection: Connection
  readonly app: RoleApp
  readonly flush: () => Promise<number>
}

/** `table` is the bridge's own; the home has no part in it. */
export function testBridge(
  world: TestDeployment,
  institution: string,
  table: WriteTable = memoryTable(),
): BridgeWorld {
  const connection = world.connect(institution)
  const client = recordClient(connection, { deployment: asDeploymentId('home-1'), origin: ORIGIN })
  const now = () => world.clock.now
  const access = createAccessLog(client, now)
  const bridge = createBridge({
    client,
    index: createPatientIndex(table, world.random(32), { now, random: world.random }),
    validator,
    policy,
    check: (projection) => checkRecord(recordItems(projection), knowledge, now()),
    access,
    source: institution,
    now,
  })
  const app = bridgeApp(bridge, { now, random: world.random, log: silentLog })
  return { bridge, connection, app, flush: () => access.flush() }
}
