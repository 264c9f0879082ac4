// SPDX-License-Identifier: Apache-2.0
import type { AwsCall } from '#adapters/aws/clients/calls.ts'
import type { AzureCall } from '#adapters/azure/open.ts'
import { asDeploymentId, asInstanceId } from '#core/bytes/ids.ts'
import { LOG_PREFIX, logOriginOf, WITNESS_PREFIX } from '#core/api/log.ts'
import type { Connection } from '#core/client/connect.ts'
import { formatVerifierKey, type LogKey } from '#core/log/note/key.ts'
import { parsePolicy, type Policy } from '#core/log/policy/policy.ts'
import type { Platform } from '#core/ports/needs.ts'
import { keyRecord } from '#core/registry/build.ts'
import type { CloudConfig } from '#functions/host/cloud/config.ts'
import type { Hosting } from '#functions/host/app.ts'
import type { LogFields } from '#functions/host/telemetry.ts'
import { allows as allowsOnAws } from '#infra/permissions/aws/allows.ts'
import { callsOf } from '#infra/permissions/aws/calls.ts'
import { policyOf } from '#infra/permissions/aws/policy.ts'
import { allows as allowsOnAzure } from '#infra/permissions/azure/allows.ts'
import { assignmentsOf } from '#infra/permissions/azure/roles.ts'
import { identitiesOf, type Identity } from '#infra/permissions/identities.ts'
import { seededRandom, testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { configOf, openApart, type Apart } from '#tests/functions/host/apart.ts'
import { makeStack } from '../aws/stack.ts'
import { namesOf as awsNamesOf } from '../aws/stack-names.ts'
import { azureStack } from '../azure/stack.ts'
import { namesOf as azureNamesOf } from '../azure/stack-names.ts'
import { onFunctionApps, onLambdas, openFront, type Front, type Host } from './front.ts'

/** What a cloud gives a home. */
interface Cloud {
  /** For a role, whose calls are kept, or for whoever sets up. */
  readonly open: (role: string | null) => Platform
  /** What roles asked that their permissions do not allow, and which asked anything. */
  readonly asked: () => { readonly refused: readonly string[]; readonly roles: readonly string[] }
  readonly hosted: (fetch: Apart['fetch'], origin: string) => Host
  readonly close: () => Promise<void>
}

/** A home in one cloud, whose witness and whose mirror are in the other one. */
export interface CloudHome {
  readonly name: string
  readonly origin: string
  readonly hospital: string
  readonly world: TestDeployment
  readonly config: CloudConfig
  readonly policy: Policy
  readonly roles: Apart
  /** What its roles said. */
  readonly said: LogFields[]
  /** Opens its roles again, as functions do that were not called for long. */
  readonly openRoles: (around?: (platform: Platform) => Platform) => Promise<Apart>
  /** A client that reaches it over the network, as one of its hospital, and trusts the policy. */
  readonly connect: () => Connection
  /** Its stores and keys, as whoever set it up has them. */
  readonly platform: Platform
  readonly asked: Cloud['asked']
}

/** Both homes. */
export interface Homes {
  readonly aws: CloudHome
  readonly azure: CloudHome
  /** Moves the clock of all. */
  readonly elapse: (ms: number) => void
  readonly close: () => Promise<void>
}

/** The institution that a home grants to hold: the other home's. */
export const MIRROR = 'mirror-m'

export async function cloudHomes(): Promise<Homes> {
  const time = { ahead: 0 }
  const now = () => Date.now() + time.ahead
  const aws = await begin('aws', await onAws(now), 7, now)
  const azure = await begin('azure', await onAzure(now), 8, now)
  const homes = { aws: await finish(aws, azure), azure: await finish(azure, aws) }
  return {
    ...homes,
    elapse: (ms) => void (time.ahead += ms),
    close: async () => {
      for (const { front, cloud, opened } of [aws, azure]) {
        await front.close()
        for (const platform of opened) await platform.close()
        await cloud.close()
      }
    },
  }
}

async function onAws(now: () => number): Promise<Cloud> {
  const stack = await makeStack('MiniStack')
  const { observe, asked } = recorder<AwsCall>((identity) => {
    const names = awsNamesOf(stack)
    const policy = policyOf(identity, names)
    return (call) => callsOf(names, call).every((each) => allowsOnAws(policy, each))
  })
  const open = (role: string | null) =>
    stack.open({ makesKeys: role === null, now, ...(role !== null && { observe: observe(role) }) })
  return { open, asked, hosted: onLambdas, close: async () => {} }
}

async function onAzure(now: () => number): Promise<Cloud> {
  const stack = await azureStack()
  const { observe, asked } = recorder<AzureCall>((identity) => {
    const assignments = assignmentsOf(identity, azureNamesOf(stack))
    return (call) => allowsOnAzure(assignments, call)
  })
  const open = (role: string | null) =>
    stack.open({ makesKeys: role === null, now, ...(role !== null && { observe: observe(role) }) })
  return { open, asked, hosted: onFunctionApps, close: () => stack.close() }
}

/** Keeps what each role asks of its provider. */
function recorder<Call extends { readonly operation: string; readonly resource: string }>(
  judge: (identity: Identity) => (call: Call) => boolean,
) {
  const recorded = new Map<string, Call[]>()
  return {
    observe: (role: string) => {
      const calls = recorded.get(role) ?? []
      recorded.set(role, calls)
      return (call: Call) => void calls.push(call)
    },
    asked: () => ({
      roles: [...recorded].filter(([, calls]) => calls.length > 0).map(([role]) => role),
      refused: identitiesOf('home').flatMap((identity) => {
        const isAllowed = judge(identity)
        const refused = (recorded.get(identity.name) ?? []).filter((call) => !isAllowed(call))
        return refused.map(({ operation, resource }) => `${identity.name} ${operation} ${resource}`)
      }),
    }),
  }
}

/** A home that was set up, and does not know of the other one yet. */
interface Begun {
  readonly name: string
  readonly hospital: string
  readonly cloud: Cloud
  readonly front: Front
  readonly opened: Platform[]
  readonly platform: Platform
  readonly world: TestDeployment
  readonly config: CloudConfig
  readonly now: () => number
}

async function begin(name: string, cloud: Cloud, seed: number, now: () => number): Promise<Begun> {
  const hospital = `hospital-${name}`
  const front = await openFront()
  const platform = cloud.open(null)
  const clock = {
    get now() {
      return now()
    },
    set now(_) {},
  }
  const { origin } = front
  const world = await testDeployment([hospital, MIRROR], { base: platform, clock, origin, seed })
  const config = await configOf(platform, world.home)
  return { name, hospital, cloud, front, opened: [platform], platform, world, config, now }
}

/** Has the other home witness and mirror this one: the keys of each are confirmed, as operators do, and not asked for. */
async function finish(own: Begun, other: Begun): Promise<CloudHome> {
  const { world, front, cloud, now } = own
  await admitMirror(own, other)
  const policy = witnessedBy(own, other)
  const { deployment, origin, registry, logKeys } = other.config
  const theirs = parsePolicy(`${logLines(logKeys)}quorum none\n`)
  const institution = world.institution(MIRROR).id
  const mirrored = [{ deployment, origin, registry, institution, policy: witnessedBy(other, own) }]
  const watched = [parsePolicy(`${logLines(logKeys, ` ${origin}${LOG_PREFIX}`)}quorum none\n`)]
  const config = { ...own.config, policy, accepted: [theirs], watched, mirrored }
  const said: LogFields[] = []
  const hosting: Hosting = { now, random: seededRandom(5), log: (line) => void said.push(line) }
  const openRoles: CloudHome['openRoles'] = (around = (platform) => platform) => {
    const of = (role: string) => {
      const platform = cloud.open(role)
      own.opened.push(platform)
      return around(platform)
    }
    return openApart(of, config, hosting)
  }
  const roles = await openRoles()
  front.serve(cloud.hosted(roles.fetch, front.origin))
  const reach = (request: Request) => fetch(request)
  return {
    name: own.name,
    origin: front.origin,
    hospital: own.hospital,
    world,
    config,
    policy,
    roles,
    said,
    openRoles,
    connect: () => world.connect(own.hospital, { fetch: reach, policy }),
    platform: own.platform,
    asked: cloud.asked,
  }
}

/** Enters the other home, as a mirror, and the key with which it asks, in the registry of this one. */
async function admitMirror({ world }: Begun, { front, platform }: Begun): Promise<void> {
  const { id: institution } = world.institution(MIRROR)
  const [asks, states] = [await platform.signer('instance'), await platform.signer('head')]
  const [instance, deployment] = [
    asInstanceId(`${institution}-cloud`),
    asDeploymentId(`${institution}-cloud`),
  ]
  const given = { v: 1 as const, status: 'active' as const, capabilities: [], signing: asks.kid }
  await world.change(MIRROR, [
    {
      act: 'enrol',
      instance: { ...given, kind: 'instance', id: instance, institution },
      key: keyRecord(asks.publicKey, 'sign', { institution, instance }),
    },
  ])
  await world.change(MIRROR, [
    {
      act: 'deploy',
      deployment: {
        v: 1,
        kind: 'deployment',
        id: deployment,
        institution,
        origin: front.origin,
        kid: states.kid,
      },
      key: keyRecord(states.publicKey, 'head', { deployment }),
    },
  ])
}

function logLines(keys: readonly LogKey[], url = ''): string {
  return keys.map((key) => `log ${formatVerifierKey(key)}${url}\n`).join('')
}

/** The policy of a home: its own log, cosigned with both keys of the other home's witness. */
function witnessedBy({ config, front }: Begun, other: Begun): Policy {
  const url = `${other.front.origin}${WITNESS_PREFIX}`
  const names = other.config.witnessKeys.map((_, at) => `w${at}`)
  const witnesses = other.config.witnessKeys.map(
    (key, at) => `witness w${at} ${formatVerifierKey(key)} ${url}\n`,
  )
  const policy = parsePolicy(
    `${logLines(config.logKeys)}${witnesses.join('')}group all-keys all ${names.join(' ')}\nquorum all-keys\n`,
  )
  if (policy.logs.some(({ key }) => key.name !== logOriginOf(front.origin)))
    throw new RangeError('another log')
  return policy
}
