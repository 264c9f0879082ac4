// SPDX-License-Identifier: Apache-2.0
import { openLogin } from '#core/bridge/token/login.ts'
import { select } from '#core/ports/needs.ts'
import { createValidator } from '#core/record/fhir/validate.ts'
import { createLabelPolicy } from '#core/record/labels/label.ts'
import type { RoleApp } from '../host/app.ts'
import type { BridgeConfig } from '../host/cloud/bridge-config.ts'
import type { Hosted } from '../host/cloud/hosted.ts'
import { loadDefinitions, loadKnowledge, loadSensitivity } from '../host/definitions.ts'
import { bridgeApp } from './app.ts'
import { addClients } from './clients.ts'
import type { AssembledBridge } from './opening/assemble.ts'
import { openBridge } from './opening/open.ts'
import { role } from './role.ts'
import { addRows } from './rows.ts'

/** As telemetry calls an institution's bridge. */
export const SERVICE = 'ampere-bridge'

const deadline = (ms: number) => AbortSignal.timeout(ms)

/** What either role of a bridge is opened from. */
export type BridgeHosted = Pick<Hosted<BridgeConfig>, 'platform' | 'config' | 'hosting' | 'beside'>

/** The bridge in a process of its own: all others of it have the same stores, and nothing else in common. It demands a token of whoever asks. */
export async function openBridging(hosted: BridgeHosted): Promise<RoleApp> {
  const { platform, config, hosting } = hosted
  const { bridge, connection, store, table, indexSecret: secret } = await openHostedBridge(hosted, role.needs)
  const { now, random, fetch } = platform
  // Whoever reaches it may be anybody, so a token is demanded from the first request on.
  const login = openLogin({ store, secret, fetch, deadline, now, random }, config.origin)
  const app = bridgeApp(bridge, hosting, login)
  const { institution } = config.bridge
  const { usedAssertions } = store
  const { origin } = config
  const own = { institution, origin, sync: connection.sync, usedAssertions }
  addClients(app, store.clients, own, hosting)
  addRows(app, table, own, hosting)
  return app
}

/** Opens the bridge of a deployment for one of its roles, whose needs are the same. */
export async function openHostedBridge(
  { platform, config, beside }: BridgeHosted,
  needs: (typeof role)['needs'],
): Promise<AssembledBridge> {
  const files = new URL('.', beside)
  return openBridge(await select(platform, needs), config.bridge, {
    validator: createValidator(loadDefinitions(files)),
    labels: createLabelPolicy(loadSensitivity(files)),
    knowledge: loadKnowledge(files),
  })
}
