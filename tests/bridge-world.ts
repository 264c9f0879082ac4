// SPDX-License-Identifier: Apache-2.0
import { loadDefinitions, loadKnowledge, loadSensitivity } from '#functions/host/definitions.ts'
import { memoryTable } from '#adapters/memory/table.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import type { Bridge } from '#core/bridge/bridge.ts'
import type { WriteTable } from '#core/ports/table.ts'
import type { Connection } from '#core/client/connect.ts'
import { createValidator } from '#core/record/fhir/validate.ts'
import { createLabelPolicy } from '#core/record/labels/label.ts'
import { assembleBridge } from '#functions/bridge/opening/assemble.ts'
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

/** `given` keeps the bridge's table and its key, as over a restart. */
export function testBridge(
  world: TestDeployment,
  institution: string,
  given: { readonly table?: WriteTable; readonly key?: Uint8Array } = {},
): BridgeWorld {
  const connection = world.connect(institution)
  const now = () => world.clock.now
  const { random } = world
  const { bridge, store } = assembleBridge({
    connection,
    home: { deployment: asDeploymentId('home-1'), origin: ORIGIN },
    table: given.table ?? memoryTable(),
    indexSecret: given.key ?? random(32),
    source: institution,
    validator,
    labels: policy,
    knowledge,
  })
  const app = bridgeApp(bridge, { now, random, log: silentLog })
  return { bridge, connection, app, flush: () => store.access.flush() }
}
