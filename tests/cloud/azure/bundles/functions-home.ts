// SPDX-License-Identifier: Apache-2.0
import { CosmosClient } from '@azure/cosmos'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { formatPolicy, parsePolicy, type Policy } from '#core/log/policy/policy.ts'
import type { Fetch } from '#core/ports/keys.ts'
import type { Platform } from '#core/ports/needs.ts'
import type { RoleBundle } from '#infra/bundle/bundle.ts'
import { identitiesOf } from '#infra/permissions/identities.ts'
import { logKeysOf } from '#tests/core/server/cosign/witnessed-world.ts'
import { ORIGIN, testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { configOf, roleFor } from '#tests/functions/host/apart.ts'
import { builtBundles, builtFolder } from '../../built.ts'
import { outsideWitness } from '../../outside-witness.ts'
import { azureStack, EMULATOR } from '../stack.ts'
import { startFakeIdentity, type FakeIdentity } from './fake-identity.ts'
import { startHost, type Binding, type FunctionsHost } from './functions-host.ts'

/** A home of which each role is a bundle in a process of its own, started when it is first asked. */
export interface FunctionsHome {
  readonly bundles: readonly RoleBundle[]
  readonly world: TestDeployment
  readonly identity: FakeIdentity
  /** The keys of its log, and of a witness that its functions ask over the network. */
  readonly policy: Policy
  /** Asks the role that has the route, as the front of the home does. */
  readonly fetch: Fetch
  host(role: string): Promise<FunctionsHost>
  /** Has the schedule of a role call it. */
  timer(role: string): Promise<void>
  /** Gives a role what lies in the container that wakes it; says how much that is. */
  changes(role: string): Promise<number>
  /** Kills the process of a role, wherever it is; whoever asks next starts another. */
  kill(role: string): Promise<void>
  /** Moves every clock. */
  elapse(ms: number): Promise<void>
  close(): Promise<void>
}

/** The client id of a role's identity. */
export const clientIdOf = (role: string) => `client-${role}`

export async function functionsHome(): Promise<FunctionsHome> {
  const bundles = builtBundles('azure')
  const [stack, identity] = await Promise.all([azureStack(), startFakeIdentity()])
  const time = { ahead: 0 }
  const clock = {
    get now() {
      return Date.now() + time.ahead
    },
    set now(_) {},
  }
  const platform = stack.open({ now: () => clock.now })
  const world = await testDeployment(['hospital-a'], { base: platform, clock })
  const folder = mkdtempSync(join(tmpdir(), 'ampere-functions-'))
  const keys = (await logKeysOf(platform)).map(formatVerifierKey)
  const witness = await outsideWitness(ORIGIN, keys, () => clock.now)
  const lines = keys.map((key) => `log ${key}\n`).join('')
  const policy = parsePolicy(`${lines}${witness.keys}group both all outside-0 outside-1\nquorum both\n`)
  const config = await configText(platform, world, policy)
  const hosts = new Map<string, Promise<FunctionsHost>>()
  const start = async (role: string) => {
    cpSync(join(builtFolder('azure'), role), join(folder, role), { recursive: true })
    writeFileSync(join(folder, role, 'ampere.json'), config)
    const { naming, vault } = stack
    const settings = { naming, clientId: clientIdOf(role), emulator: EMULATOR }
    const env = {
      ...identity.env,
      AMPERE_AZURE: JSON.stringify(settings),
      ...triggerSettings(role, naming.database),
    }
    const at = { folder: join(folder, role), env, vaultOrigin: vault.origin, aheadMs: time.ahead }
    return startHost(at)
  }
  const host = async (role: string) => {
    const started = hosts.get(role) ?? start(role)
    hosts.set(role, started)
    return started
  }
  return {
    bundles,
    world,
    identity,
    policy,
    host,
    fetch: async (request) => ask(await host(roleFor(request)), request),
    timer: async (role) => {
      const [name] = triggerOf(await host(role), 'timerTrigger')
      const data = { Schedule: { AdjustForDST: true }, ScheduleStatus: null, IsPastDue: false }
      await (await host(role)).ask({ call: name, data })
    },
    changes: async (role) => {
      const [name, binding] = triggerOf(await host(role), 'cosmosDBTrigger')
      const data = await itemsOf(
        stack.naming.cosmosEndpoint,
        triggerSettings(role, stack.naming.database),
        binding,
      )
      // The feed calls nobody where nothing changed.
      if (data.length > 0) await (await host(role)).ask({ call: name, data })
      return data.length
    },
    kill: async (role) => {
      const killed = hosts.get(role)
      hosts.delete(role)
      await (await killed)?.close()
    },
    elapse: async (ms) => {
      time.ahead += ms
      for (const each of hosts.values()) await (await each).ask({ now: time.ahead })
    },
    close: async () => {
      for (const each of hosts.values()) await (await each).close()
      witness.close()
      await platform.close()
      await Promise.all([stack.close(), identity.close()])
      rmSync(folder, { recursive: true })
    },
  }
}

/** What ampere.json says of this home. */
async function configText(platform: Platform, { home }: TestDeployment, policy: Policy): Promise<string> {
  const { logKeys, witnessKeys, ...rest } = await configOf(platform, home)
  const keys = {
    logKeys: logKeys.map(formatVerifierKey),
    witnessKeys: witnessKeys.map(formatVerifierKey),
  }
  return JSON.stringify({ ...rest, ...keys, policy: formatPolicy(policy) })
}

/** Asks a host what a client of the home asks. */
export async function ask({ origin }: FunctionsHost, request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url)
  const { method, headers, body } = request
  return fetch(`${origin}${pathname}${search}`, {
    method,
    headers,
    ...(body && { body, duplex: 'half' }),
  })
}

/** The function of a role with one kind of trigger. */
export function triggerOf({ functions }: FunctionsHost, type: string): readonly [string, Binding] {
  for (const { name, bindings } of functions)
    for (const binding of Object.values(bindings)) if (binding.type === type) return [name, binding]
  throw new RangeError(`no ${type}`)
}

/** What the host puts in place of `%NAME%`. */
export function triggerSettings(role: string, database: string): Readonly<Record<string, string>> {
  const table = identitiesOf('home').find(({ name }) => name === role)?.wokenBy?.table
  return table === undefined ? {} : { AMPERE_DATABASE: database, AMPERE_CHANGES: table }
}

/** A stand-in for the change feed, which the emulator has not: everything in the container that the trigger names. */
async function itemsOf(
  endpoint: string,
  settings: Readonly<Record<string, string>>,
  { databaseName, containerName }: Binding,
): Promise<readonly object[]> {
  const named = (given: unknown) =>
    String(given).replace(/^%(\w+)%$/, (_, name: string) => settings[name] ?? '')
  const connectionPolicy = { enableEndpointDiscovery: false }
  const client = new CosmosClient({ endpoint, key: EMULATOR.cosmosKey, connectionPolicy })
  const { items } = client.database(named(databaseName)).container(named(containerName))
  const { resources } = await items.readAll().fetchAll()
  client.dispose()
  return resources
}
