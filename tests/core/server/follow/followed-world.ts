// SPDX-License-Identifier: Apache-2.0
import { openMemory } from '#adapters/memory/open.ts'
import { withFaults } from '#adapters/around/faults.ts'
import { asDeploymentId, type Kid } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import type { RegistryChange } from '#core/registry/block.ts'
import { buildChange, keyRecord } from '#core/registry/build.ts'
import { signRevocation } from '#core/registry/revocation.ts'
import { followRegistry, type FollowReport } from '#core/server/follow/follow.ts'
import { FOLLOW_NEEDS } from '#core/server/follow/needs.ts'
import { readFollowing, type FollowStanding } from '#core/server/follow/standing.ts'
import type { Home } from '#core/server/home.ts'
import { createRegistrySource, REGISTRY_PARTITION } from '#core/server/store/registry.ts'
import { heightKey } from '#core/server/store/rows.ts'
import { homeApp } from '#functions/all.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import {
  instanceRecords,
  makeSigner,
  seededRandom,
  START_MS,
  testDeployment,
  type TestDeployment,
} from '#tests/deployment.ts'
import { withKeptKeys } from '#tests/kept-keys.ts'

export const FOLLOWER = { deployment: asDeploymentId('home-2'), origin: 'http://second.test' }

/** A home of a registry, and a second home that follows it over HTTP. */
export interface FollowedWorld {
  readonly world: TestDeployment
  readonly clock: { now: number }
  readonly faults: ReturnType<typeof withFaults>
  readonly platform: Platform
  readonly home: Home
  /** The second home, asked as a client asks it. */
  readonly fetch: Fetch
  readonly tendLog: () => Promise<void>
  /** Puts somebody else where the registry's home is. */
  readonly instead: (fetch: Fetch | null) => void
  readonly follow: (maxBlocks?: number, at?: string) => Promise<FollowReport>
  readonly standing: () => Promise<FollowStanding>
  /** Enrols an instance of an institution: a block that changes nothing that these tests look at. */
  readonly enrol: (institution: string) => Promise<void>
  readonly revocationOf: (author: string, kid: Kid) => Promise<string>
}

/** The second home begins with the registry as it was when it was entered in it, as whoever joins does. */
export async function followedWorld(): Promise<FollowedWorld> {
  const clock = { now: START_MS }
  const world = await testDeployment(['hospital-a', 'hospital-b'], { clock })
  const random = seededRandom(99)
  let answers: Fetch = world.fetch
  const between: Fetch = async (request) => answers(request)
  const base = withKeptKeys(openMemory({ now: () => clock.now, random, fetch: between }), 99)
  const faults = withFaults(base)
  const { platform } = faults
  const verifiers = createVerifiers()
  const home: Home = {
    ...FOLLOWER,
    durability: 'local',
    backupDays: 0,
    registry: createRegistrySource(platform.table('registry'), world.registryId, verifiers),
    verifiers,
  }
  await enter(world, base)
  for (const row of await world.platform.table('registry').range(REGISTRY_PARTITION))
    await base.table('registry').insert(REGISTRY_PARTITION, row.key, row.value)
  const { app, tendLog } = await homeApp(platform, home, { now: () => clock.now, random, log: silentLog })
  const ports = await select(platform, FOLLOW_NEEDS)
  const never = () => new AbortController().signal
  return {
    world,
    clock,
    faults,
    platform,
    home,
    fetch: async (request) => app.fetch(request),
    tendLog,
    instead: (fetch) => {
      answers = fetch ?? world.fetch
    },
    follow: (maxBlocks = 100, at) =>
      followRegistry(ports, home, { deadline: never, maxBlocks, maxMs: 30_000 }, at ?? null),
    standing: () => readFollowing(ports, home),
    enrol: (institution) => enrolOne(world, institution),
    revocationOf: (author, kid) => revocationBy(world, author, kid),
  }
}

/** A statement of an institution, at the time of the clock, that a key is revoked. */
export function revocationBy(world: TestDeployment, author: string, kid: Kid): Promise<string> {
  const { clock, registryId: registry } = world
  const said = { reason: 'compromised', suspectFrom: null, time: toTimestamp(clock.now) } as const
  return signRevocation({ v: 1, registry, kid, ...said }, world.institution(author).root)
}

/** Enters the second home in the registry, as a deployment of hospital-b. */
async function enter(world: TestDeployment, platform: Platform): Promise<void> {
  const { deployment: id, origin } = FOLLOWER
  const head = await platform.signer('head')
  const deployment = {
    v: 1 as const,
    kind: 'deployment' as const,
    id,
    institution: world.institution('hospital-b').id,
    origin,
    kid: head.kid,
  }
  const key = keyRecord(head.publicKey, 'head', { deployment: id })
  await world.change('hospital-b', [{ act: 'deploy', deployment, key }])
}

let enrolled = 0

async function enrolOne(world: TestDeployment, institution: string): Promise<void> {
  const change = await enrolment(world, institution)
  await world.change(institution, [change])
}

/** A change that enrols one more instance. */
export async function enrolment(world: TestDeployment, institution: string): Promise<RegistryChange> {
  enrolled += 1
  const { id } = world.institution(institution)
  const name = `${institution}-more-${enrolled}`
  return { act: 'enrol', ...instanceRecords(name, id, await makeSigner(world.random), []) }
}

/** A block that follows the newest one of a registry, signed and not added. */
export async function nextBlock(
  world: TestDeployment,
  change: RegistryChange,
  author = 'hospital-a',
): Promise<string> {
  const link = (await world.home.registry.refresh()).link()
  if (!link) throw new Error('a registry is expected')
  const ports = { now: () => world.clock.now, random: world.random }
  return buildChange(ports, link, [change], world.institution(author).root)
}

/** Puts a block where another home keeps its registry. */
export async function putBlock(platform: Platform, height: number, compact: string): Promise<void> {
  await platform.table('registry').insert(REGISTRY_PARTITION, heightKey(height), utf8(compact))
}
