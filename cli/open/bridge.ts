// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { assembleBridge } from '#functions/bridge/opening/assemble.ts'
import { loadKnowledge, loadSensitivity } from '#functions/host/definitions.ts'
import type { StretchedPassphrase } from '#adapters/local/keys/key-file.ts'
import { openLocal } from '#adapters/local/open.ts'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import type { AccessLog } from '#core/bridge/store/access.ts'
import type { Bridge } from '#core/bridge/bridge.ts'
import type { Rotation } from '#core/bridge/rotation/rotation.ts'
import { openLogin, type Login } from '#core/bridge/token/login.ts'
import type { EvidenceSink, Monitors } from '#core/client/client.ts'
import { connect, type Connection } from '#core/client/connect.ts'
import { syncRegistry } from '#core/client/read/replica.ts'
import type { Policy } from '#core/log/policy/policy.ts'
import type { Deadline } from '#core/order/deadline.ts'
import type { Fetch, Random } from '#core/ports/keys.ts'
import type { WriteTable } from '#core/ports/table.ts'
import { createLabelPolicy } from '#core/record/labels/label.ts'
import {
  actingInstance,
  openInstitution,
  readingSeed,
  withActiveInstances,
  type Institution,
} from './institution.ts'
import { renewedIfDue } from '../enrolment/renewal.ts'
import { pinnedMonitors } from '../monitor/asked.ts'
import { pinnedPolicy } from './policy.ts'
import { evidenceFiles } from '../evidence/files.ts'
import { fileSeen } from './seen.ts'
import type { Settings } from '../deployment/settings.ts'
import type { LazyValidator } from './validator.ts'

const now = () => Date.now()
const deadline: Deadline = (ms) => AbortSignal.timeout(ms)
const outside: Fetch = (request) => fetch(request)
const random: Random = (length) => crypto.getRandomValues(new Uint8Array(length))

/** For how long backups of a bridge's table in a cloud are kept at most, in days: those of DynamoDB; Cosmos DB keeps them for less. */
const CLOUD_BACKUP_DAYS = 35

/** What a connection judges its home by, and where it keeps what convicts it. */
interface HomeTrust {
  readonly policy?: Policy | null
  readonly monitors?: Monitors | null
  readonly evidence?: EvidenceSink
}

/** Connects an institution of this machine to the home, as its first app instance. */
export function connectInstitution(
  institution: Institution,
  settings: Pick<Settings, 'registry' | 'origin'>,
  homeFetch: Fetch,
  { policy = null, monitors = null, evidence }: HomeTrust = {},
): Connection {
  return connect({
    fetch: homeFetch,
    outside,
    now,
    random,
    identity: {
      reader: institution.id,
      institution: institution.id,
      signer: actingInstance(institution),
      sealingSeed: async () => readingSeed(institution),
    },
    pins: { registry: settings.registry, origin: settings.origin, policy, monitors },
    seen: fileSeen(institution.folder),
    ...(evidence ? { evidence } : {}),
  })
}

/** An institution's bridge that runs elsewhere: where others reach it, and its table. */
interface Elsewhere {
  readonly origin: string
  readonly table: WriteTable
}

/** How to reach the home, and what all bridges of a process share. */
export interface BridgeContext {
  readonly folder: string
  readonly settings: Settings
  readonly passphrase: string | StretchedPassphrase
  readonly fetch: Fetch
  readonly validator: LazyValidator
  /** Beside a running server the bridge's table is shared with it, for commands that last a moment. */
  readonly beside: boolean
  /** Finds a bridge that the institution has elsewhere, whose table is then worked with: there must be one index of its patients. */
  readonly elsewhere?: (institution: Institution) => Promise<Elsewhere | null>
}

/** An institution's bridge in this process, with its own table. */
export interface OpenBridge {
  readonly bridge: Bridge
  readonly connection: Connection
  /** With its active app instances only. */
  readonly institution: Institution
  readonly access: AccessLog
  /** Gives the records that it controls new keys where they are due. */
  readonly rotation: Rotation
  /** Where others reach the bridge that it has elsewhere; null where there is none. */
  readonly address: string | null
  /** Demands a token of its clients. */
  readonly login: Login
  /** Patients whose chains this institution knows. */
  records(): Promise<readonly { readonly id: string; readonly chain: ChainId }[]>
  /** To be awaited before anything is filed. */
  prepare(): Promise<void>
  close(): Promise<void>
}

/** Connects an institution with what the registry says of its app instances, and opens its bridge. */
export async function openBridge(context: BridgeContext, id: string): Promise<OpenBridge> {
  const { folder, settings, passphrase, validator, beside } = context
  const connectHome = async () =>
    connectActive(await openInstitution(folder, id, passphrase), settings, context.fetch, {
      policy: pinnedPolicy(folder, settings),
      monitors: pinnedMonitors(folder),
      evidence: evidenceFiles(folder),
    })
  const first = await connectHome()
  const { institution, connection } = (await renewedIfDue(first)) ? await connectHome() : first
  const elsewhere = (await context.elsewhere?.(institution)) ?? null
  const { table, close } = elsewhere
    ? { table: elsewhere.table, close: async () => {} }
    : tableHere(institution, beside)
  const { bridge, store, rotation } = assembleBridge({
    connection,
    home: { deployment: asDeploymentId(settings.deployment), origin: settings.origin },
    table,
    indexSecret: institution.indexKey,
    source: id,
    ...(elsewhere && { backupDays: CLOUD_BACKUP_DAYS }),
    validator,
    labels: createLabelPolicy(loadSensitivity()),
    knowledge: loadKnowledge(),
  })
  return {
    bridge,
    connection,
    institution,
    access: store.access,
    rotation,
    address: elsewhere?.origin ?? null,
    login: openLogin(
      { store, secret: institution.indexKey, fetch: outside, deadline, now, random },
      `${settings.origin}/${id}`,
    ),
    records: () => store.patients.list(),
    prepare: () => validator.load(),
    close,
  }
}

/** The index of an institution on this computer. */
function tableHere(institution: Institution, beside: boolean) {
  const platform = openLocal({ folder: join(institution.folder, 'bridge'), passphrase: null, beside })
  return { table: platform.table('bridge'), close: () => platform.close() }
}

/** Connects as an instance that is active; which ones are, the registry says, which any may read. */
export async function connectActive(
  institution: Institution,
  settings: Pick<Settings, 'registry' | 'origin'>,
  homeFetch: Fetch,
  trust: HomeTrust = {},
): Promise<{ readonly institution: Institution; readonly connection: Connection }> {
  const first = connectInstitution(institution, settings, homeFetch, trust)
  await syncRegistry(first.sync)
  const active = withActiveInstances(institution, first.sync.registry.newest())
  const same = actingInstance(active) === actingInstance(institution)
  if (same) return { institution: active, connection: first }
  const connection = connectInstitution(active, settings, homeFetch, trust)
  await syncRegistry(connection.sync)
  return { institution: active, connection }
}
