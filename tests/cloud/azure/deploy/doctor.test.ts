// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals'
import { CredentialUnavailableError } from '@azure/identity'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Azure } from '#cli/cloud/azure/azure.ts'
import { cloudFolder, writeCloudDeployment } from '#cli/cloud/cloud-folder.ts'
import { identitiesOf } from '#infra/permissions/identities.ts'
import { freshFolder, jsonOf } from '#tests/cli/harness.ts'
import { refused, SUBSCRIPTION } from './fake-arm.ts'
import { runOn, startWorld, type World } from './world.ts'

const ROLES = identitiesOf('home')
const GROUP = 'ampere-dev'
const FOUNDERS = ['--institution', 'st-marys=St Mary']
const OURS = { location: 'westeurope', tags: { ampere: GROUP } }
const worlds: World[] = []
const made: { world?: World } = {}
const world = () => {
  if (!made.world) throw new Error('not started')
  return made.world
}

/** A data folder from which the deployment was begun before. */
function folderThatKnows(): string {
  const data = freshFolder()
  writeCloudDeployment(cloudFolder(data, 'azure', 'dev'), {
    v: 1,
    provider: 'azure',
    stage: 'dev',
    region: 'westeurope',
    subscription: SUBSCRIPTION,
    parameters: {},
    institutions: [{ id: 'st-marys', name: 'St Mary' }],
    demo: false,
    home: null,
  })
  return data
}

/** An Azure in which nothing is ever made: whoever gets so far failed. */
const azure = (more: Partial<Azure['connection']> = {}, now = () => Date.now()): Azure => ({
  connection: { ...world().connection, ...more },
  subscription: undefined,
  now,
  build: () => Promise.reject(new Error('nothing is to be built')),
  open: () => {
    throw new Error('no store is to be opened')
  },
  fetch: () => Promise.reject(new Error('nothing answers')),
})
const deploy = (at: Azure, ...args: readonly string[]) =>
  runOn(at, ['deploy', 'azure', '--data', freshFolder(), '--no-input', ...FOUNDERS, ...args])
const credential = (error: Error): Partial<Azure['connection']> => ({
  credential: {
    getToken: async () => {
      throw error
    },
  },
})
const named = (name: string, message = 'with a tenant and a trace id') =>
  Object.assign(new Error(message), { name })

beforeEach(async () => {
  made.world = await startWorld()
  worlds.push(made.world)
})
afterAll(async () => {
  for (const each of worlds) await each.close()
})

describe('before a deployment to Azure changes anything, it says in one line', () => {
  const cases: readonly (readonly [
    string,
    (state: World['arm']['state'], arm: World['arm']) => void,
    string,
    RegExp,
    (readonly string[])?,
  ])[] = [
    [
      'that the subscription is not seen',
      () => {},
      'there is no such subscription',
      /az account list/,
      ['--subscription', '99999999-2222-2222-2222-222222222222'],
    ],
    [
      'that there are several subscriptions',
      (state) => void state.subscriptions.push({ subscriptionId: 'b', state: 'Enabled' }),
      'this account has 2 subscriptions',
      /--subscription ID/,
    ],
    [
      'that there is none that is enabled',
      (state) => void (state.subscriptions = [{ subscriptionId: SUBSCRIPTION, state: 'Disabled' }]),
      'this account has no subscription that is enabled',
      /AZURE_SUBSCRIPTION_ID/,
    ],
    [
      'that the named one is disabled',
      (state) => void (state.subscriptions = [{ subscriptionId: SUBSCRIPTION, state: 'Disabled' }]),
      'the subscription is disabled',
      /--subscription ID/,
      ['--subscription', SUBSCRIPTION],
    ],
    [
      'that the clock is wrong',
      (state) => void (state.aheadMs = 3_600_000),
      '60 minutes slow',
      /time server/,
    ],
    ['that the region is none', () => {}, 'europe is no region', /list-locations/, ['--region', 'europe']],
    [
      'which services the subscription does not use yet',
      (state) => void (state.unregistered = ['Microsoft.DocumentDB', 'Microsoft.Web']),
      'does not use Microsoft.DocumentDB, Microsoft.Web yet',
      /az provider register --namespace Microsoft\.DocumentDB; az provider register --namespace Microsoft\.Web/,
    ],
    [
      'what the region has not',
      (state) => void (state.absent = ['Microsoft.ApiManagement/service']),
      'westeurope has no Microsoft.ApiManagement/service',
      /--region/,
    ],
    [
      'that the region has no Flex Consumption',
      (state) => void (state.flex = ['North Europe']),
      'westeurope has no Functions on Flex Consumption',
      /--region/,
    ],
    [
      'that accounts do not fit',
      (state) => void (state.storage = { currentValue: 240, limit: 250 }),
      ' more storage accounts do not fit: 240 of 250 are used in westeurope',
      /raise the quota/,
    ],
    [
      "that the resource group is another's",
      (_, arm) => arm.putGroup(GROUP, { location: 'westeurope' }),
      'was not made by this',
      /--stage/,
    ],
    [
      'that the resource group is elsewhere',
      (_, arm) => arm.putGroup(GROUP, { ...OURS, location: 'northeurope' }),
      'is in northeurope',
      /--region northeurope/,
    ],
    [
      'that the resource group is being deleted',
      (_, arm) => arm.putGroup(GROUP, { ...OURS, properties: { provisioningState: 'Deleting' } }),
      'is being deleted',
      /wait until it is gone/,
    ],
    [
      'which name is taken',
      (state, arm) => {
        arm.putGroup(GROUP, OURS)
        state.taken = /^ampere-[0-9a-f]{13}$/
      },
      '(Microsoft.KeyVault/vaults)',
      /--stage, or recover/,
    ],
    [
      'which action is not allowed',
      (state) => {
        const message = `The client 'x' with object id 'y' does not have authorization to perform action 'Microsoft.Resources/subscriptions/resourcegroups/write' over scope '/subscriptions/z'.`
        state.refuses = {
          method: 'GET',
          path: /locations$/,
          answer: refused(403, 'AuthorizationFailed', message),
        }
      },
      'this account may not Microsoft.Resources/subscriptions/resourcegroups/write',
      /docs\/OPERATIONS/,
    ],
    [
      'what the services refuse beforehand, of errors within errors',
      (state, arm) => {
        arm.putGroup(GROUP, OURS)
        const within = { code: 'QuotaExceeded', message: 'text of the service' }
        const error = { code: 'InvalidTemplateDeployment', message: 'see details', details: [within] }
        state.refuses = { method: 'POST', path: /whatIf$/, answer: { status: 400, body: { error } } }
      },
      'a quota of the subscription is used up',
      /ask Azure/,
    ],
    [
      'that a policy of the organisation is against it',
      (state, arm) => {
        arm.putGroup(GROUP, OURS)
        state.refuses = { method: 'POST', path: /whatIf$/, answer: refused(403, 'RequestDisallowedByPolicy') }
      },
      'a policy of the organisation forbids a part of it',
      /policies/,
    ],
  ]

  it.each(cases)('%s', async (_, arrange, says, next, args = []) => {
    arrange(world().arm.state, world().arm)
    const { code, err } = await deploy(azure(), '--plan', ...args)
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining(says) })
    expect(err).toMatch(/^ampere: .+ \(CONFIGURATION\)\n {2}Next: .+\n$/)
    expect(err).toMatch(next)
    expect(world().arm.resources(GROUP).size).toBe(0)
  })

  it.each([
    [new CredentialUnavailableError('none of six ways'), 'there are no credentials for Azure', /az login/],
    [named('AuthenticationError', 'AADSTS700082: The refresh token has expired'), 'have expired', /az login/],
    [
      named('AuthenticationError', 'AADSTS700024: not within its valid time range'),
      'the clock',
      /time server/,
    ],
    [named('AuthenticationError', 'AADSTS7000215: Invalid client secret'), 'does not know these', /az login/],
    [Object.assign(named('RestError'), { code: 'ENOTFOUND' }), 'Azure is not reached', /network/],
  ])('that credentials are missing, old, or unknown: %s', async (error, says, next) => {
    const { code, err } = await deploy(azure(credential(error)), '--plan')
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining(says) })
    expect(err).toMatch(next)
    expect(err).not.toContain('trace id')
  })
})

describe('the plan of a deployment to Azure', () => {
  it('says what would be made, for whom, and makes nothing', async () => {
    const data = freshFolder()
    const planned = await runOn(azure(), ['deploy', 'azure', '--plan', '--json', '--data', data, ...FOUNDERS])
    expect({ code: planned.code, err: planned.err }).toEqual({ code: 0, err: '' })
    const { functions, resources, lines } = jsonOf(planned) as {
      functions: string[]
      resources: Record<string, number>
      lines: string[]
    }
    expect(functions).toEqual(ROLES.map(({ name }) => name))
    expect(resources['Microsoft.Web/sites']).toBe(ROLES.length)
    expect(lines.join('\n')).toContain(`operator@hospital.example, in the subscription ${SUBSCRIPTION}`)
    expect(lines.at(-1)).toContain('all of it is new')
    expect(world().arm.hasGroup(GROUP)).toBe(false)
    expect(existsSync(join(data, 'cloud'))).toBe(false)
  })

  it("says by Azure's own what-if what would change, once there is a resource group", async () => {
    world().arm.putGroup(GROUP, OURS)
    world().arm.putDeployment(GROUP, 'Failed')
    const { out } = await deploy(azure(), '--plan')
    expect(out).toMatch(/changes \d{3} new\n/)
    expect(out).toContain('a deployment that failed: it goes on where it was')
  })

  it.each([
    [['--param', 'maxInstances=2'], 2, 'maxInstances is a whole number from 40'],
    [['--param', 'kmsCallsPerHour=2'], 2, 'there is no parameter kmsCallsPerHour'],
    [['--stage', 'Prod'], 2, 'the stage is'],
    [['--role', 'bridge'], 2, 'a bridge needs its home'],
  ])('refuses %j before anybody is asked', async (args, code, says) => {
    const nobody = azure(credential(new Error('nobody is to be asked')))
    const answer = await deploy(nobody, '--plan', ...args)
    expect({ code: answer.code, says: answer.err.includes(says), err: answer.err }).toMatchObject({
      code,
      says: true,
    })
  })
})

describe('a deployment to Azure that fails', () => {
  const building = (): Azure => ({ ...azure(), build: async () => ({ files: () => ({}), bundles: [] }) })

  it('says which resource failed and why, and keeps what was made', async () => {
    const within = { code: 'LocationNotAvailableForResourceType', message: 'x', target: '/a/b/vaults/v' }
    world().arm.state.fails = { code: 'DeploymentFailed', message: 'see details', details: [within] }
    const { code, err } = await deploy(building())
    expect(code).toBe(1)
    expect(err).toContain(
      'the region does not have all that is needed, or not for this subscription (vaults/v)',
    )
    expect(err).toContain('what was made stays')
    expect(world().arm.resources(GROUP).size).toBeGreaterThan(100)
  })

  it('leaves one alone that was made from another data folder', async () => {
    world().arm.putGroup(GROUP, OURS)
    world().arm.putDeployment(GROUP, 'Succeeded')
    const { code, err } = await deploy(building())
    expect([code, err]).toEqual([1, expect.stringMatching(/this data folder knows nothing of it/)])
    expect(world().arm.resources(GROUP).size).toBe(0)
  })

  it('waits for one that runs, and then makes it what it should be', async () => {
    world().arm.putGroup(GROUP, OURS)
    world().arm.putDeployment(GROUP, 'Running')
    const { err } = await deploy(building(), '--data', folderThatKnows())
    expect(world().arm.resources(GROUP).size).toBeGreaterThan(400)
    // There is no bundle, and no store: so far it came.
    expect(err).toContain('3 of 5')
  })
})
