// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from '@jest/globals'
import { cloudFolder, writeCloudDeployment } from '#cli/cloud/cloud-folder.ts'
import { identitiesOf } from '#infra/permissions/identities.ts'
import { jsonOf, type Ended, type TestTerminalOptions } from '#tests/cli/harness.ts'
import { refused } from './fake-arm.ts'
import {
  closeAll,
  deploy,
  failing,
  FOUNDERS,
  GROUP,
  isWhole,
  knownOf,
  STAGE,
  type Failing,
} from './failing.ts'
import { runOn } from './world.ts'

const ROLES = identitiesOf('home')
afterAll(closeAll)

const run = (one: Failing, verb: string, args: readonly string[], terminal: TestTerminalOptions = {}) =>
  runOn(one.azure, ['deploy', verb, '--stage', STAGE, '--data', one.data, ...args], terminal)
const destroy = (one: Failing, ...args: readonly string[]): Promise<Ended> =>
  run(one, 'destroy', ['--no-input', ...args])
const typesOf = (one: Failing) => {
  const types = [...one.world.arm.resources(GROUP).values()].map(({ type }) => type)
  return Object.fromEntries(types.map((type) => [type, types.filter((each) => each === type).length]))
}

async function deployed(): Promise<Failing> {
  const one = await failing()
  const made = await deploy(one, ...FOUNDERS)
  expect({ err: made.code === 0 ? '' : made.err }).toEqual({ err: '' })
  return one
}

describe('a deployment on Azure', () => {
  it('says how it stands: what is kept, what runs, and the home itself', async () => {
    const one = await deployed()
    const { code, out } = await run(one, 'status', ['--json'])
    expect({ code, ...(JSON.parse(out) as object) }).toMatchObject({
      code: 0,
      ok: true,
      provider: 'azure',
      stores: 'Succeeded',
      functions: `${ROLES.length} of ${ROLES.length} running`,
      says: 'ok',
    })
  })

  it('is removed but for what it keeps, and answers as the same home once it is deployed again', async () => {
    const one = await deployed()
    const before = typesOf(one)
    const registry = knownOf(one.data)?.home?.registry
    const dry = await destroy(one, '--dry-run')
    expect([dry.code, typesOf(one)]).toEqual([0, before])
    expect((await destroy(one, '--confirm', 'another')).code).toBe(2)
    expect(typesOf(one)).toEqual(before)

    const gone = await destroy(one, '--confirm', STAGE)
    expect({ code: gone.code, err: gone.code === 0 ? '' : gone.err }).toEqual({ code: 0, err: '' })
    const after = typesOf(one)
    const removed = Object.keys(before).filter((type) => !(type in after))
    expect(removed.filter((type) => type.split('/').length === 2).toSorted()).toEqual([
      'Microsoft.Insights/metricAlerts',
      'Microsoft.Insights/scheduledQueryRules',
      'Microsoft.Web/serverfarms',
      'Microsoft.Web/sites',
    ])
    for (const type of ['DocumentDB/databaseAccounts', 'KeyVault/vaults', 'ApiManagement/service'])
      expect(after[`Microsoft.${type}`]).toBe(1)
    expect(after['Microsoft.ManagedIdentity/userAssignedIdentities']).toBe(ROLES.length)
    const status = await run(one, 'status', ['--json'])
    expect([status.code, jsonOf(status)['functions']]).toEqual([1, null])

    const trial = knownOf(one.data)?.trial
    const again = await deploy(one, '--json')
    expect([again.code, jsonOf(again)['smoke']]).toMatchObject([0, { record: trial, blocks: 4 }])
    expect(knownOf(one.data)?.home?.registry).toBe(registry)
    expect(knownOf(one.data)?.trial).toBe(trial)
    await isWhole(one)
  })

  it('is removed also where removing was broken off at any call', async () => {
    const one = await deployed()
    one.fail(-1, null)
    const sample = await destroy(one, '--confirm', STAGE)
    expect(sample.code).toBe(0)
    const writes = one.calls.flatMap((name, at) => (name.startsWith('DELETE') ? [at] : []))
    expect(writes.length).toBeGreaterThan(40)
    for (const at of [0, writes[0] ?? 0, writes.at(-1) ?? 0]) {
      for (const how of ['not-applied', 'applied-unknown'] as const) {
        expect((await deploy(one)).code).toBe(0)
        one.fail(at, how)
        await destroy(one, '--confirm', STAGE)
        one.fail(-1, null)
        const { code, err } = await destroy(one, '--confirm', STAGE)
        // Where all of it was removed before the call that failed there is nothing left to remove.
        const isDone = code === 0 || err.includes('nothing was removed')
        expect({ at, how, isDone }).toEqual({ at, how, isDone: true })
        expect(Object.keys(typesOf(one)).filter((type) => /Web\/(sites|serverfarms)$/.test(type))).toEqual([])
      }
    }
  }, 90_000)

  it('is forgotten where an erasure was broken off once all of it was gone', async () => {
    const one = await deployed()
    const known = knownOf(one.data)
    if (!known) throw new Error('nothing was deployed')
    expect((await destroy(one, '--erase-data', '--confirm', `erase-${STAGE}`)).code).toBe(0)
    writeCloudDeployment(cloudFolder(one.data, 'azure', STAGE), known)
    const again = await destroy(one, '--erase-data', '--json', '--confirm', `erase-${STAGE}`)
    expect([again.code, jsonOf(again)]).toMatchObject([0, { removed: false, erased: false }])
    expect(knownOf(one.data)?.home).toBeNull()
  })

  it('is erased with all that it kept only for a name that is typed for that', async () => {
    const one = await deployed()
    for (const wrong of [STAGE, 'erase', 'erase-prod']) {
      expect((await destroy(one, '--erase-data', '--confirm', wrong)).code).toBe(2)
      expect(one.world.arm.hasGroup(GROUP)).toBe(true)
    }
    const says = await destroy(one, '--erase-data', '--dry-run')
    expect(says.err).toContain('Every record that no mirror holds is gone for ever')
    const typed = await run(one, 'destroy', ['--erase-data'], { isTTY: true, types: [`erase-${STAGE}`] })
    expect({ code: typed.code, err: typed.code === 0 ? '' : typed.err }).toEqual({ code: 0, err: '' })
    expect(one.world.arm.hasGroup(GROUP)).toBe(false)
    // They are the tenant's, and would stay.
    expect(one.world.arm.state.leftDefinitions).toEqual([])
    expect(knownOf(one.data)?.home).toBeNull()
    for (const args of [[], ['--erase-data']])
      expect(await destroy(one, '--confirm', STAGE, ...args)).toMatchObject({
        code: 1,
        out: '',
        err: expect.stringContaining('nothing was removed'),
      })
  })

  it("is not erased where the resource group is another's", async () => {
    const one = await deployed()
    one.world.arm.putGroup(GROUP, { location: 'westeurope' })
    const { code, err } = await destroy(one, '--erase-data', '--confirm', `erase-${STAGE}`)
    expect([code, err]).toEqual([1, expect.stringContaining('was not made by this')])
    expect(one.world.arm.hasGroup(GROUP)).toBe(true)
  })
})

describe('publishing', () => {
  it('waits while the rights of a new app do not count yet', async () => {
    const one = await failing()
    one.world.scm.first.push({ status: 403 }, { status: 400 }, { status: 409 })
    expect((await deploy(one, ...FOUNDERS)).code).toBe(0)
    await isWhole(one)
  })

  it('says which right is missing where they never count', async () => {
    const one = await failing()
    one.world.scm.first.push(...Array.from({ length: 200 }, () => ({ status: 403 })))
    const { code, err } = await deploy(one, ...FOUNDERS)
    expect([code, err]).toEqual([1, expect.stringMatching(/does not take its package \(403\)/)])
    expect(err).toContain('Website Contributor')
  })

  it.each([3, -1, 5, 6])('says that a package was not taken over: status %d', async (status) => {
    const one = await failing()
    one.world.scm.ends = status
    const { code, err } = await deploy(one, ...FOUNDERS)
    expect([code, err]).toEqual([1, expect.stringContaining(`was not taken over (status ${status})`)])
  })

  it('says that nothing may be published, at once', async () => {
    const one = await failing()
    one.world.arm.state.refuses = {
      method: 'GET',
      path: /Microsoft\.Web\/sites\/ampere-dev-discovery/,
      answer: refused(403, 'AuthorizationFailed', "to perform action 'Microsoft.Web/sites/read' over"),
    }
    const { err } = await deploy(one, ...FOUNDERS)
    expect(err).toContain('this account may not Microsoft.Web/sites/read')
  })
})
