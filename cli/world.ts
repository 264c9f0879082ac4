// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { loadDefinitions, loadKnowledge, loadSensitivity } from '#functions/host/definitions.ts'
import { openLocal } from '#adapters/local/open.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import type { AccessLog } from '#core/bridge/store/access.ts'
import { openBridgeStore } from '#core/bridge/store/open.ts'
import { createBridge, type Bridge } from '#core/bridge/bridge.ts'
import { recordItems } from '#core/bridge/serve/record-items.ts'
import { recordClient } from '#core/client/acts/record-client.ts'
import { connect, type Connection } from '#core/client/connect.ts'
import { checkRecord } from '#core/consistency/check.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import type { Fetch, Random } from '#core/ports/keys.ts'
import type { Platform } from '#core/ports/needs.ts'
import { createLabelPolicy } from '#core/record/labels/label.ts'
import { createValidator } from '#core/record/fhir/validate.ts'
import type { Home } from '#core/server/home.ts'
import { createRegistrySource } from '#core/server/store/registry.ts'
import { homeApp } from '#functions/all.ts'
import type { RoleApp } from '#functions/host/app.ts'
import type { Log } from '#functions/host/telemetry.ts'
import { fileSeen, openInstitution, type Institution } from './institution.ts'
import { passphraseOf, type Settings } from './settings.ts'

const now = () => Date.now()
const random: Random = (length) => crypto.getRandomValues(new Uint8Array(length))

/** A home opened in this process. */
export interface OpenHome {
  readonly platform: Platform
  readonly home: Home
  readonly app: RoleApp
  readonly fetch: Fetch
}

/** Opens the home of a data folder; it belongs to this process until its platform is closed. */
export async function openHome(folder: string, settings: Settings, log: Log): Promise<OpenHome> {
  const platform = openLocal({ folder: join(folder, 'home'), passphrase: passphraseOf(folder) })
  const verifiers = createVerifiers()
  const home: Home = {
    deployment: asDeploymentId(settings.deployment),
    origin: settings.origin,
    durability: 'local',
    backupDays: 0,
    registry: createRegistrySource(platform.table('registry'), settings.registry, verifiers),
    verifiers,
  }
  const app = await homeApp(platform, home, { now, random, log })
  return { platform, home, app, fetch: async (request) => app.fetch(request) }
}

/**
 * How to reach the home: over HTTP when a server of this deployment runs, else opened in this process.
 * `close` gives the data folder back.
 */
export async function reachHome(
  folder: string,
  settings: Settings,
  log: Log,
): Promise<{ readonly fetch: Fetch; readonly home: OpenHome | null; readonly close: () => Promise<void> }> {
  if (await isRunning(settings))
    return { fetch: (request) => fetch(request), home: null, close: async () => {} }
  const opened = await openHome(folder, settings, log)
  return { fetch: opened.fetch, home: opened, close: () => opened.platform.close() }
}

/** True when the origin answers as this very deployment. */
export async function isRunning(settings: Settings): Promise<boolean> {
  try {
    const response = await fetch(new URL('/.well-known/ampere', settings.origin), {
      signal: AbortSignal.timeout(2000),
    })
    const said = (await response.json()) as { deployment?: unknown; registry?: unknown }
    return said.deployment === settings.deployment && said.registry === settings.registry
  } catch {
    return false
  }
}

/** Connects an institution of this machine to the home. */
export function connectInstitution(
  institution: Institution,
  settings: Settings,
  homeFetch: Fetch,
): Connection {
  return connect({
    fetch: homeFetch,
    now,
    random,
    identity: {
      reader: institution.id,
      institution: institution.id,
      signer: institution.instance,
      sealingSeed: async () => institution.sealingSeed,
    },
    pins: { registry: settings.registry, origin: settings.origin },
    seen: fileSeen(institution.folder),
  })
}

/** An institution's bridge in this process, with its own table. */
export interface OpenBridge {
  readonly bridge: Bridge
  readonly connection: Connection
  readonly institution: Institution
  readonly access: AccessLog
  readonly close: () => Promise<void>
}

const once: {
  shared?: { validator: ReturnType<typeof createValidator>; policy: ReturnType<typeof createLabelPolicy> }
} = {}

/** Opens a bridge. `beside` a running server its table is shared with it, for commands that last a moment. */
export async function openBridge(
  folder: string,
  settings: Settings,
  id: string,
  homeFetch: Fetch,
  beside = false,
): Promise<OpenBridge> {
  const institution = await openInstitution(folder, id, passphraseOf(folder))
  const connection = connectInstitution(institution, settings, homeFetch)
  const platform = openLocal({
    folder: join(institution.folder, 'bridge'),
    passphrase: passphraseOf(folder),
    beside,
  })
  const client = recordClient(connection, {
    deployment: asDeploymentId(settings.deployment),
    origin: settings.origin,
  })
  const store = openBridgeStore(platform.table('bridge'), institution.indexKey, client, { now, random })
  const knowledge = loadKnowledge()
  once.shared ??= {
    validator: createValidator(loadDefinitions()),
    policy: createLabelPolicy(loadSensitivity()),
  }
  const bridge = createBridge({
    client,
    store,
    validator: once.shared.validator,
    policy: once.shared.policy,
    check: (projection) => checkRecord(recordItems(projection), knowledge, now()),
    source: id,
    now,
    random,
  })
  return { bridge, connection, institution, access: store.access, close: () => platform.close() }
}
