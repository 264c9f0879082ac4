// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type { AwsCall } from '#adapters/aws/clients/calls.ts'
import type { Platform } from '#core/ports/needs.ts'
import { allows } from '#infra/permissions/aws/allows.ts'
import { callsOf } from '#infra/permissions/aws/calls.ts'
import type { AwsNames } from '#infra/permissions/aws/names.ts'
import { policyOf } from '#infra/permissions/aws/policy.ts'
import { identitiesOf } from '#infra/permissions/identities.ts'
import { playRoles } from '../role-story.ts'
import { describeOn, makeStack } from './stack.ts'
import { namesOf } from './stack-names.ts'

const IDENTITIES = identitiesOf('home')
/** Permissions of the function, not of the adapter: its log, the stream that wakes it, where it tells what failed. */
const OF_THE_HOST = /^(OwnLog|ChangesRead|FailuresTell)/

describeOn('MiniStack', 'what each role asks of AWS', () => {
  const recorded = new Map<string, AwsCall[]>()
  const platforms: Platform[] = []
  let names: AwsNames

  beforeAll(async () => {
    const stack = await makeStack('MiniStack')
    names = namesOf(stack)
    await playRoles((options) => {
      const platform = stack.open(options)
      platforms.push(platform)
      return platform
    }, recorded)
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
