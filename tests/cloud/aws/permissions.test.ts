// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type { AwsCall } from '#adapters/aws/clients/calls.ts'
import { asDeploymentId, asInstitutionId } from '#core/bytes/ids.ts'
import { logOriginOf } from '#core/api/log.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { readReceipts } from '#core/client/receipt/read-receipts.ts'
import type { Platform } from '#core/ports/needs.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import type { CloudConfig } from '#functions/host/cloud/config.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { allows } from '#infra/permissions/aws/allows.ts'
import { callsOf } from '#infra/permissions/aws/calls.ts'
import { awsNames, type AwsNames } from '#infra/permissions/aws/names.ts'
import { policyOf } from '#infra/permissions/aws/policy.ts'
import { identitiesOf } from '#infra/permissions/identities.ts'
import { ORIGIN, START_MS, testDeployment } from '#tests/deployment.ts'
import { entry, HOME } from '#tests/fault/each-call.ts'
import { configOf, openApart } from '#tests/functions/host/apart.ts'
import { signerOf } from '#tests/core/log/signers.ts'
import { describeOn, makeStack, type Stack } from './stack.ts'

const IDENTITIES = identitiesOf('home')
/** Permissions of the function, not of the adapter: its log, the stream that wakes it, where it tells what failed. */
const OF_THE_HOST = /^(OwnLog|ChangesRead|FailuresTell)/

/** The names of this test's stack, as those of a template. */
function namesOf({ options: { naming, region } }: Stack): AwsNames {
  const key = (id: string) => `arn:aws:kms:${region}:000000000000:key/${id}`
  const { prefix, keys } = naming
  const names = awsNames({
    prefix,
    partition: 'aws',
    region,
    account: '000000000000',
    dataKey: key('00000000-0000-4000-8000-000000000000'),
    wrappingKey: key(keys.softwareKeys?.wrappingKey ?? ''),
    signingKey: (name) => key(keys.kms[name] ?? ''),
    stream: () => 'arn:aws:dynamodb:stream',
  })
  const tableName = (name: string) => `${prefix}-${name === 'keys' ? 'software-keys' : name}`
  return {
    ...names,
    tableName,
    table: (name) => `arn:aws:dynamodb:${region}:000000000000:table/${tableName(name)}`,
    bucketName: (name) => `${prefix}-${name}`,
    bucket: (name) => `arn:aws:s3:::${prefix}-${name}`,
  }
}

/** With another home that is to be mirrored, and that nobody reaches: it is asked with the key of the institution all the same. */
async function mirroring(config: CloudConfig): Promise<CloudConfig> {
  const other = {
    deployment: asDeploymentId('home-2'),
    origin: 'http://127.0.0.1:1',
    registry: config.registry,
  }
  const signer = await signerOf(logOriginOf(other.origin), 'Ed25519', 1)
  const policy = parsePolicy(`log ${formatVerifierKey(signer.key)}\nquorum none\n`)
  return { ...config, mirrored: [{ ...other, institution: asInstitutionId('hospital-a'), policy }] }
}

describeOn('MiniStack', 'what each role asks of AWS', () => {
  const recorded = new Map<string, AwsCall[]>()
  const platforms: Platform[] = []
  let names: AwsNames

  beforeAll(async () => {
    const stack = await makeStack('MiniStack')
    names = namesOf(stack)
    const clock = { now: START_MS }
    const base = stack.open({ now: () => clock.now })
    platforms.push(base)
    const world = await testDeployment(['hospital-a'], { clock, base })
    const of = (role: string): Platform => {
      const calls = recorded.get(role) ?? []
      recorded.set(role, calls)
      const platform = stack.open({
        makesKeys: false,
        now: () => clock.now,
        observe: (call) => void calls.push(call),
      })
      platforms.push(platform)
      return platform
    }
    const hosting = { now: () => clock.now, random: world.random, log: silentLog }
    const apart = await openApart(of, await mirroring(await configOf(base, world.home)), hosting)
    const client = () => world.connect('hospital-a', { fetch: apart.fetch })
    await apart.sequence()
    const { record } = await createRecord(client(), HOME, ['general'])
    await client().append(record, [entry('one')])
    await apart.sequence()
    const reader = client()
    const before = await reader.read(record)
    await readReceipts(reader, await reader.replica(record))
    const { instance, second } = world.institution('hospital-a')
    const what = { scope: 'entries' as const, entries: before.opened, ground: 'misfiled' as const }
    const request = await requestErasure(client(), record, what, { instances: [instance, second] })
    clock.now += 73 * 3_600_000
    await apart.sequence()
    await settleErasure(client(), record, request.block.height, 'complete')
    await apart.erase('schedule')
    await apart.sequence()
    for (const path of ['/health/ready', '/.well-known/jwks.json', '/log/checkpoint', '/v1/registry/blocks'])
      await apart.fetch(new Request(new URL(path, ORIGIN)))
    for (const act of [apart.sweep, apart.audit, apart.monitor, apart.mirror]) await act()
  }, 300_000)
  afterAll(async () => void (await Promise.all(platforms.map((platform) => platform.close()))))

  it.each(IDENTITIES.map((identity) => [identity.name, identity] as const))(
    '%s asks nothing that its policy does not allow',
    (name, identity) => {
      const policy = policyOf(identity, names)
      const calls = (recorded.get(name) ?? []).flatMap((call) => callsOf(names, call))
      const refused = calls.filter((call) => !allows(policy, call))
      expect(refused.map(({ operation, resource }) => `${operation} ${resource}`)).toEqual([])
    },
  )

  it('uses every kind of permission that is given, but the end of an upload that failed', () => {
    const used = new Set<string>()
    const given = new Set<string>()
    for (const identity of IDENTITIES) {
      const policy = policyOf(identity, names).filter(({ Sid }) => !OF_THE_HOST.test(Sid))
      const calls = (recorded.get(identity.name) ?? []).flatMap((call) => callsOf(names, call))
      for (const { Action } of policy) for (const action of Action) given.add(action)
      for (const call of calls) if (allows(policy, call)) used.add(call.operation)
    }
    expect([...given].filter((action) => !used.has(action))).toEqual(['s3:AbortMultipartUpload'])
  })
})
