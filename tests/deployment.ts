// SPDX-License-Identifier: Apache-2.0
import { openMemory } from '#adapters/memory/open.ts'
import {
  asDeploymentId,
  asInstanceId,
  asInstitutionId,
  type DeploymentId,
  type Digest,
  type InstitutionId,
} from '#core/bytes/ids.ts'
import { parseJws } from '#core/block/jws.ts'
import type { ClientPorts, Monitors, SeenHeads } from '#core/client/client.ts'
import { connect, type Connection } from '#core/client/connect.ts'
import { sealingPublicKey } from '#core/crypto/hpke.ts'
import { createVerifiers, generateSoftwareSigner } from '#core/crypto/signature.ts'
import type { Policy } from '#core/log/policy/policy.ts'
import type { Fetch, Random, Signer } from '#core/ports/keys.ts'
import type { Platform } from '#core/ports/needs.ts'
import { buildChange, buildRegistry, institutionRecords, keyRecord } from '#core/registry/build.ts'
import type { RegistryChange } from '#core/registry/block.ts'
import type { InstanceRecord, FoundingRecord } from '#core/registry/records.ts'
import type { LogTrust } from '#core/server/audit/log/needs.ts'
import type { Home } from '#core/server/home.ts'
import { addRegistryBlock } from '#core/server/registrar.ts'
import { createRegistrySource } from '#core/server/store/registry.ts'
import { select } from '#core/ports/needs.ts'
import { REGISTRAR_NEEDS } from '#core/server/registrar.ts'
import { homeApp } from '#functions/all.ts'
import { silentLog, silentTelemetry, type Telemetry } from '#functions/host/telemetry.ts'
import { keptSigner, seededRandom, withKeptKeys } from '#tests/kept-keys.ts'

export { seededRandom }

/** The origin that tests give their home; nothing listens there. */
export const ORIGIN = 'http://home.test'
/** Where the tests' clock starts. */
export const START_MS = Date.parse('2026-11-01T08:00:00.000Z')

/** One institution of a test, with its keys in memory. */
export interface TestInstitution {
  readonly id: InstitutionId
  readonly root: Signer
  readonly recovery: Signer
  readonly instance: Signer
  readonly second: Signer
  readonly sealingSeed: Uint8Array
}

/** A whole deployment in memory: registry, home, institutions, one clock. */
export interface TestDeployment {
  readonly platform: Platform
  readonly home: Home
  readonly registryId: Digest
  readonly institutions: Readonly<Record<string, TestInstitution>>
  readonly clock: { now: number }
  readonly random: Random
  readonly fetch: Fetch
  /** Logs all that there is to log. */
  readonly tendLog: () => Promise<void>
  /** Whom audits of the log believe. */
  readonly logTrust: LogTrust
  connect(institution: string, options?: Given & { fetch?: Fetch }): Connection
  institution(name: string): TestInstitution
  change(author: string, changes: readonly RegistryChange[], approvers?: readonly string[]): Promise<void>
}

/** How a client differs from the plain one. */
interface Given {
  readonly seen?: SeenHeads
  readonly signer?: Signer
  readonly policy?: Policy
  readonly monitors?: Monitors
  readonly outside?: Fetch
}

/** How a test deployment differs from the plain one. */
export interface TestOptions {
  /** Wraps what the home's roles use, for faults and counts. */
  readonly platform?: (base: Platform) => Platform
  /** The platform beneath, instead of one in memory. */
  readonly base?: Platform
  readonly seed?: number
  /** Where clients reach the home; `ORIGIN` where it is left out. */
  readonly origin?: string
  /** A clock that others share. */
  readonly clock?: { now: number }
  /** Who witnesses the home's log. */
  readonly policy?: Policy
  /** Between two looks at the log for those who wait; without it the clock moves on and nothing else. */
  readonly pause?: (ms: number) => Promise<void>
  /** By what the home is measured. */
  readonly telemetry?: Telemetry
}

/** Makes a deployment with a home and the named institutions as founders. */
export async function testDeployment(
  names: readonly string[] = ['hospital-a', 'hospital-b'],
  options: TestOptions = {},
): Promise<TestDeployment> {
  const clock = options.clock ?? { now: START_MS }
  const seed = options.seed ?? 7
  const origin = options.origin ?? ORIGIN
  const random = seededRandom(seed)
  const base = options.base ?? withKeptKeys(openMemory({ now: () => clock.now, random }), seed)
  const platform = options.platform?.(base) ?? base
  const institutions: Record<string, TestInstitution> = {}
  for (const name of names) institutions[name] = await makeInstitution(name, seed, random)
  const records = await genesisRecords(Object.values(institutions), await base.signer('head'), origin)
  const ports = { now: () => clock.now, random }
  const founders = Object.values(institutions).map((institution) => institution.root)
  const genesis = await buildRegistry(ports, records, founders)
  const registryId = parseJws(genesis, 'ampere-registry+jws').id
  const verifiers = createVerifiers()
  const home: Home = {
    deployment: asDeploymentId('home-1'),
    origin,
    durability: 'local',
    backupDays: 0,
    registry: createRegistrySource(platform.table('registry'), registryId, verifiers),
    verifiers,
  }
  const registrar = await select(platform, REGISTRAR_NEEDS)
  await addRegistryBlock(registrar, home, genesis)
  const { app, tendLog, logTrust } = await homeApp(
    platform,
    home,
    { now: () => clock.now, random, log: silentLog, telemetry: options.telemetry ?? silentTelemetry },
    {
      pause: options.pause ?? (async (ms) => void (clock.now += ms)),
      policy: options.policy ?? null,
      // Tests that mirror a home mirror this one.
      mirrored: () => [{ deployment: home.deployment, origin, registry: registryId }],
    },
  )
  const fetch: Fetch = async (request) => app.fetch(request)
  const find = (name: string): TestInstitution => {
    const found = institutions[name]
    if (!found) throw new RangeError(`no institution ${name}`)
    return found
  }
  return {
    platform,
    home,
    registryId,
    institutions,
    clock,
    random,
    fetch,
    tendLog,
    logTrust,
    institution: find,
    connect: (name, given = {}) =>
      connect(clientPorts(find(name), { clock, random, registryId, origin }, given.fetch ?? fetch, given)),
    change: async (author, changes, approvers = []) => {
      const history = await home.registry.refresh()
      const link = history.link()
      if (!link) throw new RangeError('the registry is empty')
      const signers = approvers.map((name) => find(name).root)
      await addRegistryBlock(
        registrar,
        home,
        await buildChange(ports, link, changes, find(author).root, signers),
      )
    },
  }
}

/** Heads seen, in memory. */
export function memorySeen(): SeenHeads {
  const seen = new Map<string, { height: number; block: never }>()
  return {
    load: async (chain) => seen.get(chain) ?? null,
    save: async (chain, head) => void seen.set(chain, head as { height: number; block: never }),
  }
}

/** The enrolment of an instance with its own key. */
export function instanceRecords(
  id: string,
  institution: InstitutionId,
  signer: Signer,
  capabilities: InstanceRecord['capabilities'],
): { instance: InstanceRecord; key: ReturnType<typeof keyRecord> } {
  const instance: InstanceRecord = {
    v: 1,
    kind: 'instance',
    id: asInstanceId(id),
    institution,
    status: 'active',
    capabilities,
    signing: signer.kid,
  }
  return { instance, key: keyRecord(signer.publicKey, 'sign', { institution, instance: asInstanceId(id) }) }
}

/** The change that enters a deployment of an institution, with the key of its head statements. */
export function deployed(
  institution: InstitutionId,
  { deployment: id, origin }: { readonly deployment: DeploymentId; readonly origin: string },
  { kid, publicKey }: Signer,
): RegistryChange {
  return {
    act: 'deploy',
    deployment: { v: 1, kind: 'deployment', id, institution, origin, kid },
    key: keyRecord(publicKey, 'head', { deployment: id }),
  }
}

/** A signer with a fresh key. */
export async function makeSigner(random: Random, alg: 'ES256' | 'Ed25519' = 'Ed25519'): Promise<Signer> {
  return generateSoftwareSigner(alg, random)
}

async function makeInstitution(name: string, seed: number, random: Random): Promise<TestInstitution> {
  const signer = (key: string, alg: 'ES256' | 'Ed25519' = 'Ed25519') =>
    keptSigner(seed, `${name}/${key}`, alg)
  return {
    id: asInstitutionId(name),
    root: await signer('root'),
    recovery: await signer('recovery'),
    instance: await signer('instance', 'ES256'),
    second: await signer('second'),
    sealingSeed: random(32),
  }
}

async function genesisRecords(
  institutions: readonly TestInstitution[],
  head: Signer,
  origin: string,
): Promise<FoundingRecord[]> {
  const records: FoundingRecord[] = []
  for (const { id, root, recovery, instance, second, sealingSeed } of institutions) {
    records.push(
      ...institutionRecords({
        id,
        name: `Test ${id}`,
        root: root.publicKey,
        recovery: recovery.publicKey,
        sealingKey: sealingPublicKey(sealingSeed),
      }),
    )
    for (const [suffix, signer] of [
      ['1', instance],
      ['2', second],
    ] as const) {
      const enrolled = instanceRecords(`${id}-${suffix}`, id, signer, ['control', 'create', 'identify'])
      records.push(enrolled.instance, enrolled.key)
    }
  }
  const deployment = asDeploymentId('home-1')
  const [first] = institutions
  if (!first) throw new RangeError('a registry needs a founder')
  records.push(
    { v: 1, kind: 'deployment', id: deployment, institution: first.id, origin, kid: head.kid },
    keyRecord(head.publicKey, 'head', { deployment }),
    { v: 1, kind: 'rules', home: deployment, demo: true },
  )
  return records
}

function clientPorts(
  institution: TestInstitution,
  world: { clock: { now: number }; random: Random; registryId: Digest; origin: string },
  fetch: Fetch,
  given: Given,
): ClientPorts {
  return {
    fetch,
    now: () => world.clock.now,
    random: world.random,
    identity: {
      reader: institution.id,
      institution: institution.id,
      signer: given.signer ?? institution.instance,
      sealingSeed: async () => institution.sealingSeed,
    },
    pins: {
      registry: world.registryId,
      origin: world.origin,
      policy: given.policy ?? null,
      monitors: given.monitors ?? null,
    },
    seen: given.seen ?? memorySeen(),
    ...(given.outside ? { outside: given.outside } : {}),
  }
}
