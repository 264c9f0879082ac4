// SPDX-License-Identifier: Apache-2.0
import { loadDefinitions, loadKnowledge, loadSensitivity } from '#functions/host/definitions.ts'
import { memoryTable } from '#adapters/memory/table.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import type { Bridge } from '#core/bridge/bridge.ts'
import { loopbackLogin, openLogin, type Login } from '#core/bridge/token/login.ts'
import type { BridgeStore } from '#core/bridge/store/open.ts'
import type { Rotation } from '#core/bridge/rotation/rotation.ts'
import type { WriteTable } from '#core/ports/table.ts'
import type { Connection } from '#core/client/connect.ts'
import { createValidator } from '#core/record/fhir/validate.ts'
import { createLabelPolicy } from '#core/record/labels/label.ts'
import { assembleBridge } from '#functions/bridge/opening/assemble.ts'
import { bridgeApp } from '#functions/bridge/app.ts'
import type { Fetch } from '#core/ports/keys.ts'
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
  readonly login: Login
  readonly flush: () => Promise<number>
  readonly store: BridgeStore
  readonly rotation: Rotation
}

/** Where the clients of a test's bridge find it; requests of tests go wherever they like. */
export const BRIDGE_URL = 'https://bridge.test/hospital'

/** What a test gives its bridge. */
export interface GivenBridge {
  /** Table and key are kept over a restart, or shared with another process. */
  readonly table?: WriteTable
  readonly key?: Uint8Array
  /** Demands a token even while no client is registered. */
  readonly requireLogin?: boolean
  /** Answers what the bridge asks of clients. */
  readonly outside?: Fetch
  readonly tokensPerMinute?: number
}

export function testBridge(world: TestDeployment, institution: string, given: GivenBridge = {}): BridgeWorld {
  const connection = world.connect(institution)
  const now = () => world.clock.now
  const { random } = world
  const secret = given.key ?? random(32)
  const { bridge, store, rotation } = assembleBridge({
    connection,
    home: { deployment: asDeploymentId('home-1'), origin: ORIGIN },
    table: given.table ?? memoryTable(),
    indexSecret: secret,
    source: institution,
    validator,
    labels: policy,
    knowledge,
  })
  const demanding = openLogin(
    {
      store,
      secret,
      now,
      random,
      fetch: given.outside ?? nobody,
      deadline: () => new AbortController().signal,
      ...(given.tokensPerMinute === undefined ? {} : { tokensPerMinute: given.tokensPerMinute }),
    },
    BRIDGE_URL,
  )
  const login = given.requireLogin === true ? demanding : loopbackLogin(demanding, store)
  const app = bridgeApp(bridge, { now, random, log: silentLog }, login)
  return { bridge, connection, app, login, flush: () => store.access.flush(), store, rotation }
}

async function nobody(): Promise<Response> {
  throw new TypeError('there is no network in a test')
}
