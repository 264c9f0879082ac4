// SPDX-License-Identifier: Apache-2.0
import type { Random, Signer } from '#core/ports/keys.ts'
import { connect, type Connection } from '#core/client/connect.ts'
import { syncRegistry } from '#core/client/read/replica.ts'
import { AmpereError, isAmpereError } from '#core/errors.ts'
import type { RegistryChange } from '#core/registry/block.ts'
import { buildChange } from '#core/registry/build.ts'
import type { InstanceRecord, KeyRecord, RegistryRecord } from '#core/registry/records.ts'
import { registryHomeIn } from '#core/server/follow/registry-home.ts'
import { getRecord, recordsIn, type RegistryState } from '#core/registry/state.ts'
import { askingSigner, openInstitution, rootSigner, type Institution } from '../../open/institution.ts'
import { fileSeen } from '../../open/seen.ts'
import { connectHome } from '../../mirror/other-home.ts'
import { actingInstitution, withHome, type ActingOptions, type Reached } from '../../deployment/session.ts'
import type { Settings } from '../../deployment/settings.ts'
import type { Call } from '../../program/command.ts'

const random: Random = (length) => crypto.getRandomValues(new Uint8Array(length))
const MAX_ATTEMPTS = 4

/** The registry for one institution of this machine, which may change its own part of it. */
export interface RegistrySession extends Reached {
  /** With all instances whose keys are here, active or not. */
  readonly institution: Institution
  readonly connection: Connection
  /** The newest verified state. */
  readonly state: () => RegistryState
  readonly height: () => number
  /**
   * Signs a change with the institution's root key, and as a member with those of `approvers`, and adds it; `isDone` says of a state that it is there.
   * @throws AmpereError VIOLATION, CLOCK_SKEW, UPSTREAM_FAILED
   */
  readonly change: (
    change: RegistryChange,
    isDone: (state: RegistryState) => boolean,
    approvers?: readonly Signer[],
  ) => Promise<void>
}

/** Opens the registry for one command. It needs no active app instance: root keys alone change it. */
export function withRegistry(
  call: Call<ActingOptions>,
  act: (session: RegistrySession) => Promise<number>,
): Promise<number> {
  const { options } = call
  return withHome(
    call,
    (settings) => [actingInstitution(settings, options)],
    (reached) => actAs(options, reached, act),
  )
}

async function actAs(
  options: ActingOptions,
  reached: Reached,
  act: (session: RegistrySession) => Promise<number>,
): Promise<number> {
  const id = actingInstitution(reached.settings, options)
  const institution = await openInstitution(reached.folder, id, reached.passphrase)
  const connection = await atRegistryHome(await connectRoot(reached, institution), reached, institution)
  const { registry } = connection.sync
  return act({
    ...reached,
    institution,
    connection,
    state: () => stateOf(connection),
    height: () => registry.height(),
    change: (change, isDone, approvers) => addChange(connection, institution, change, isDone, approvers),
  })
}

/** Where the registry is changed: at its own home, which is another one than this where this one follows it. */
async function atRegistryHome(
  here: Connection,
  { settings }: Reached,
  institution: Institution,
): Promise<Connection> {
  const { deployment, origin } = registryHomeIn(here.sync.registry.newest())
  if (deployment === settings.deployment) return here
  try {
    return await connectHome(origin, settings.registry, institution)
  } catch (error) {
    // What is known here can still be looked at, and a revocation be shown; this home refuses a change by itself.
    if (isAmpereError(error, 'UPSTREAM_FAILED')) return here
    throw error
  }
}

/** Records of one kind, in order of their ids. */
export function instancesIn(state: RegistryState): readonly InstanceRecord[] {
  return [...recordsIn(state)]
    .filter((record): record is Extract<RegistryRecord, { kind: 'instance' }> => record.kind === 'instance')
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

/** The record of an instance's key. */
export function keyOf(state: RegistryState, instance: InstanceRecord): KeyRecord | null {
  const record = getRecord(state, `key/${instance.signing}`)
  return record?.kind === 'key' ? record : null
}

/** Reading the registry takes no rights, so the root key may sign these requests; what changes it is signed by it anyway. */
export async function connectRoot(
  {
    settings,
    fetch,
  }: { readonly settings: Pick<Settings, 'registry' | 'origin'>; readonly fetch: Reached['fetch'] },
  institution: Institution,
): Promise<Connection> {
  const connection = connect({
    fetch,
    now: () => Date.now(),
    random,
    identity: {
      reader: institution.id,
      institution: institution.id,
      signer: await askingSigner(institution),
      sealingSeed: async () => institution.sealingSeed,
    },
    pins: { registry: settings.registry, origin: settings.origin, policy: null, monitors: null },
    seen: fileSeen(institution.folder),
  })
  await syncRegistry(connection.sync)
  return connection
}

function stateOf({ sync }: Connection): RegistryState {
  const link = sync.registry.link()
  if (!link) throw new AmpereError('NOT_FOUND', 'the registry is empty')
  return link.state
}

/**
 * Signs a change of the registry and adds it: anew when another change came first; whether a lost answer was a yes, the
 * registry itself says. @throws AmpereError VIOLATION, CLOCK_SKEW, UPSTREAM_FAILED
 */
export async function addChange(
  connection: Connection,
  institution: Institution,
  change: RegistryChange,
  isDone: (state: RegistryState) => boolean,
  approvers: readonly Signer[] = [],
): Promise<void> {
  const { ports, sync, api } = connection
  const root = await rootSigner(institution)
  for (let attempt = 1; ; attempt++) {
    const parent = sync.registry.link()
    if (!parent) throw new AmpereError('NOT_FOUND', 'the registry is empty')
    const compact = await buildChange(
      { now: ports.now, random: ports.random },
      parent,
      [change],
      root,
      approvers,
    )
    try {
      await api.addRegistryBlock(compact)
    } catch (error) {
      const isOpen = isAmpereError(error, 'HEAD_CONFLICT', 'UPSTREAM_FAILED', 'STORE_UNAVAILABLE')
      if (!isOpen || attempt === MAX_ATTEMPTS) throw error
    }
    await syncRegistry(sync)
    if (isDone(stateOf(connection))) return
  }
}
