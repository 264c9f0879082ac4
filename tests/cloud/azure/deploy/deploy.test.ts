// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { identitiesOf } from '#infra/permissions/identities.ts'
import { allows, unexercised } from '#infra/permissions/azure/allows.ts'
import { setUpAssignments } from '#infra/permissions/azure/roles.ts'
import { freshFolder, jsonOf, type Ended } from '#tests/cli/harness.ts'
import { emulatedAzure } from './emulated.ts'
import { PRINCIPAL, runOn } from './world.ts'

const ROLES = identitiesOf('home')
const GROUP = 'ampere-e2e'

describe('a deployment to Azure, by the bundles that it published', () => {
  const made: { running?: Awaited<ReturnType<typeof emulatedAzure>>; deployed?: Ended } = {}
  const running = () => {
    if (!made.running) throw new Error('not started')
    return made.running
  }
  const data = freshFolder()
  const run = (...args: readonly string[]) =>
    runOn(running().azure, ['deploy', ...args, '--stage', 'e2e', '--data', data, '--no-input', '--json'])

  beforeAll(async () => {
    made.running = await emulatedAzure({ stage: 'e2e' })
    made.deployed = await run('azure', '--institution', 'st-marys=St Mary', '--demo')
  }, 300_000)
  afterAll(async () => made.running?.close())

  it('creates a record there, appends, has its receipt, and verifies', () => {
    const { code, out } = made.deployed ?? { code: -1, out: '' }
    expect({ code, said: code === 0 ? '' : out }).toEqual({ code: 0, said: '' })
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      origin: expect.stringMatching(/^https:\/\/ampere-e2e-\w+\.azure-api\.net$/),
      smoke: { blocks: 3 },
    })
  })

  it('waited for the rights to set up, and used those that the template gives, each and no other', () => {
    const { calls, waits } = running()
    expect(waits).toContain(10_000)
    const assigned = setUpAssignments(identitiesOf('home'))
    expect(calls.filter((call) => !allows(assigned, call))).toEqual([])
    // Of the role that appends to a table: seeds are read one by one, and where the account's regions are is asked of the account.
    const unused = unexercised(assigned, calls).filter(
      ({ operation }) => !operation.endsWith('/readMetadata'),
    )
    expect(unused.map(({ operation, resource }) => `${operation} ${resource}`)).toEqual([
      'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/executeQuery dbs/ampere/colls/keys',
    ])
  })

  it('gave those rights to whoever deployed', () => {
    const given = [...running().world.arm.resources(GROUP).values()].filter(
      ({ properties }) => (properties as { principalId?: string } | undefined)?.principalId === PRINCIPAL,
    )
    expect(given).toHaveLength(setUpAssignments(identitiesOf('home')).length)
  })

  it('published the bundle of each role, with what its host is told and what the home is', () => {
    const { packages } = running().world.scm
    expect(packages.size).toBe(ROLES.length)
    const registry = jsonOf(made.deployed ?? { code: 0, out: '', err: '' })['registry']
    for (const [name, files] of packages) {
      expect(Object.keys(files)).toEqual(expect.arrayContaining(['host.json', 'package.json', 'index.mjs']))
      const config = JSON.parse(Buffer.from(files['ampere.json'] ?? []).toString()) as object
      expect(config).toMatchObject({ registry, backupDays: 7 })
      expect('openapi.json' in files).toBe(name.startsWith(`${GROUP}-discovery-`))
    }
  })

  it('stands, as its status says', async () => {
    const { code, out } = await run('status')
    expect({ code, ...(JSON.parse(out) as object) }).toMatchObject({ code: 0, ok: true, says: 'ok' })
  })
})
