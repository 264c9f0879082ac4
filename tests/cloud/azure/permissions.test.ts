// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { AzureCall } from '#adapters/azure/open.ts'
import type { Platform } from '#core/ports/needs.ts'
import { allows, unexercised } from '#infra/permissions/azure/allows.ts'
import { assignmentsOf, type AzureNames } from '#infra/permissions/azure/roles.ts'
import { identitiesOf } from '#infra/permissions/identities.ts'
import { playRoles } from '../role-story.ts'
import { azureStack, type Stack } from './stack.ts'
import { namesOf } from './stack-names.ts'

const IDENTITIES = identitiesOf('home')

const NOT_HERE = [
  // The adapter answers what a client would ask; the service asks it of whoever connects all the same.
  'databaseAccounts/readMetadata',
  // Of an emulator's published key a signature is made without asking: uploads.test.ts has a fake that is asked.
  'generateUserDelegationKey/action',
  // The host of functions looks at the change feed, and keeps how far it came.
  'containers/readChangeFeed',
  'items/upsert',
]

describe('what each role asks of Azure', () => {
  const recorded = new Map<string, AzureCall[]>()
  const platforms: Platform[] = []
  const held: { stack?: Stack; names?: AzureNames } = {}
  const names = (): AzureNames => {
    if (!held.names) throw new Error('there is no stack')
    return held.names
  }

  beforeAll(async () => {
    const stack = await azureStack()
    held.stack = stack
    held.names = namesOf(stack)
    await playRoles<AzureCall>((options) => {
      const platform = stack.open(options)
      platforms.push(platform)
      return platform
    }, recorded)
  }, 120_000)
  afterAll(async () => {
    await Promise.all(platforms.map((platform) => platform.close()))
    await held.stack?.close()
  })

  it.each(IDENTITIES.map((identity) => [identity.name, identity] as const))(
    '%s asks nothing that its assignments do not allow',
    (name, identity) => {
      const assignments = assignmentsOf(identity, names())
      const refused = (recorded.get(name) ?? []).filter((call) => !allows(assignments, call))
      expect(refused.map(({ operation, resource }) => `${operation} ${resource}`)).toEqual([])
    },
  )

  it('uses every kind of permission that is given, but those of the host and of what emulators lack', () => {
    const given = IDENTITIES.flatMap((identity) => unexercised(assignmentsOf(identity, names()), []))
    const used = new Set([...recorded.values()].flat().map(({ operation }) => operation))
    const kinds = [...new Set(given.map(({ operation }) => operation))]
    const unused = kinds.filter((operation) => !used.has(operation))
    expect(unused.map((operation) => operation.split('/').slice(-2).join('/'))).toEqual(NOT_HERE)
  })
})
