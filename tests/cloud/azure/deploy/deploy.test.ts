// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openAzure, type AzureCall } from '#adapters/azure/open.ts'
import type { Azure } from '#cli/cloud/azure/azure.ts'
import { filesIn } from '#cli/cloud/azure/packages.ts'
import { DATA_FILES } from '#functions/host/definitions.ts'
import { identitiesOf } from '#infra/permissions/identities.ts'
import { allows, unexercised } from '#infra/permissions/azure/allows.ts'
import { setUpAssignments } from '#infra/permissions/azure/roles.ts'
import { freshFolder, jsonOf, type Ended } from '#tests/cli/harness.ts'
import { bundle, observation, patient } from '#tests/core/bridge/requests.ts'
import { assertion, ecPair } from '#tests/core/token/clients.ts'
import { startFakeIdentity } from '../bundles/fake-identity.ts'
import { VAULT_URL } from '../fake-vault.ts'
import { azureStack, EMULATOR, routed } from '../stack.ts'
import { builtBundles } from '../../built.ts'
import { publishedBundles } from './published-bundles.ts'
import { CREDENTIAL, PRINCIPAL, runOn, startWorld } from './world.ts'

const ROLES = identitiesOf('both')
const EHR = ecPair('ehr-1')
const GROUP = 'ampere-e2e'
const BUILT = join(process.cwd(), 'dist', 'test-azure-deploy')

/** ARM and publishing are fakes; what is published runs as it is, on emulators of what it keeps its tables and objects in. */
async function start() {
  const bundles = builtBundles('azure', BUILT)
  const [stack, identity, world] = await Promise.all([azureStack(), startFakeIdentity(), startWorld()])
  const home = publishedBundles(world.scm, GROUP, { stack, identity })
  const { cosmosEndpoint, blobEndpoint, database } = stack.naming
  world.arm.state.outputs = { cosmosEndpoint, blobEndpoint, database, vaultUrl: VAULT_URL }
  const calls: AzureCall[] = []
  const waits: number[] = []
  // Rights that were just given do not count yet: as the real service was seen to, for wrapping keys.
  stack.vault.deny('wrapkey')
  // As the template calls it.
  for (const name of ['instance', 'bridge']) stack.vault.create(name, 'EC', ['sign', 'verify'])
  stack.vault.create('sealing', 'RSA', ['wrapKey', 'unwrapKey'])
  const azure: Azure = {
    connection: {
      ...world.connection,
      pause: async (ms) => {
        waits.push(ms)
        if (ms >= 10_000) stack.vault.deny()
        if (world.scm.packages.size === ROLES.length) await home.timer('sequencer')
      },
    },
    subscription: undefined,
    now: () => Date.now(),
    build: async () => ({ files: (role) => filesIn(join(BUILT, role)), bundles }),
    open: (naming) =>
      openAzure({
        naming,
        credential: CREDENTIAL,
        emulator: EMULATOR,
        makesKeys: true,
        send: routed({ [VAULT_URL]: stack.vault.origin }),
        // Of a computer that may be busy with other tests.
        limits: { keptMs: 2_000, connectMs: 30_000, requestMs: 60_000, idleMs: 60_000 },
        observe: (call) => void calls.push({ ...call, resource: call.resource.replace(database, 'ampere') }),
      }),
    fetch: home.fetch,
  }
  const close = async () => {
    await home.close()
    await Promise.all([stack.close(), identity.close(), world.close()])
  }
  return { azure, world, calls, waits, stack, timer: home.timer, close }
}

describe('a deployment to Azure, by the bundles that it published', () => {
  const made: { running?: Awaited<ReturnType<typeof start>>; deployed?: Ended } = {}
  const running = () => {
    if (!made.running) throw new Error('not started')
    return made.running
  }
  const data = freshFolder()
  const run = (...args: readonly string[]) =>
    runOn(running().azure, ['deploy', ...args, '--stage', 'e2e', '--data', data, '--no-input', '--json'])

  beforeAll(async () => {
    made.running = await start()
    made.deployed = await run('azure', '--role', 'both', '--institution', 'st-marys=St Mary', '--demo')
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
    const assigned = setUpAssignments(ROLES)
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
    expect(given).toHaveLength(setUpAssignments(ROLES).length)
  })

  it('published the sequencer before all others, which are not answered for until it was called', () => {
    const [first] = running().world.scm.packages.keys()
    expect(first).toMatch(/-sequencer-/)
  })

  it('published the bundle of each role, with what its host is told and what the home is', () => {
    const { packages } = running().world.scm
    expect(packages.size).toBe(ROLES.length)
    const registry = jsonOf(made.deployed ?? { code: 0, out: '', err: '' })['registry']
    for (const [name, files] of packages) {
      expect(Object.keys(files)).toEqual(expect.arrayContaining(['host.json', 'package.json', 'index.mjs']))
      const config = JSON.parse(Buffer.from(files['ampere.json'] ?? []).toString()) as object
      const isBridge = /^ampere-e2e-(?:bridge|checker)-/.test(name)
      if (isBridge) expect(config).toMatchObject({ bridge: { home: { registry }, backupDays: 7 } })
      else expect(config).toMatchObject({ registry, backupDays: 7, bridges: ['st-marys'] })
      for (const file of Object.values(DATA_FILES)) expect([name, file in files]).toEqual([name, isBridge])
      expect('openapi.json' in files).toBe(name.startsWith(`${GROUP}-discovery-`))
    }
  })

  it('has a bridge that the registry lists, which answers strangers what anybody may know', async () => {
    const said = jsonOf(made.deployed ?? { code: 0, out: '', err: '' })
    const origin = String(said['origin'])
    expect(said['bridge']).toEqual({
      institution: 'st-marys',
      fhir: `${origin}/fhir`,
      instance: 'st-marys-azure-e2e',
    })
    const get = (path: string) => running().azure.fetch(new Request(`${origin}${path}`))
    expect(await (await get('/fhir/metadata')).json()).toMatchObject({ resourceType: 'CapabilityStatement' })
    expect(await (await get('/.well-known/ampere')).json()).toMatchObject({ bridges: ['st-marys'] })
    expect((await get('/fhir/Patient/p1')).status).toBe(401)
  })

  it('files what a registered client sends, serves it, and enters who read when the schedule calls', async () => {
    const { azure, stack, timer } = running()
    const origin = String(jsonOf(made.deployed ?? { code: 0, out: '', err: '' })['origin'])
    const platform = stack.open({})
    const jwks = join(data, 'ehr.json')
    writeFileSync(jwks, JSON.stringify({ keys: [EHR.jwk] }))
    const asked = [
      '--jwks',
      jwks,
      '--scopes',
      'system/*.cruds',
      '--cloud',
      'azure-e2e',
      '--data',
      data,
      '--json',
    ]
    const added = await runOn(azure, ['client', 'add', 'ehr', ...asked])
    expect({ code: added.code, said: jsonOf(added) }).toMatchObject({ code: 0, said: { replaced: false } })
    const ask = (path: string, init: RequestInit) => azure.fetch(new Request(`${origin}${path}`, init))
    const about = { client: 'ehr', aud: `${origin}/oauth/token`, nowMs: Date.now(), jti: 'one' }
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      scope: 'system/*.cruds',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion(EHR, about),
    })
    const given = await ask('/oauth/token', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
    })
    const { access_token: token } = (await given.json()) as { access_token?: string }
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' }
    const filed = await ask('/fhir', {
      method: 'POST',
      headers,
      body: bundle('transaction', [patient('p1'), observation('o1', 'p1')]),
    })
    expect({ status: filed.status, body: await filed.json() }).toMatchObject({ status: 200 })
    expect(await (await ask('/fhir/Observation/o1', { headers })).json()).toMatchObject({ id: 'o1' })
    expect((await platform.table('bridge').range('access')).length).toBeGreaterThan(0)
    await timer('checker')
    // Of what the check itself opened, the next one says.
    await timer('checker')
    expect(await platform.table('bridge').range('access')).toEqual([])
    expect(await platform.table('bridge').get('turn', 'check')).not.toBeNull()
    await platform.close()
  }, 240_000)

  it('stands, as its status says', async () => {
    const { code, out } = await run('status')
    expect({ code, ...(JSON.parse(out) as object) }).toMatchObject({ code: 0, ok: true, says: 'ok' })
  })
})
