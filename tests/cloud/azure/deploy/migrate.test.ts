// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { openAzure, type AzureCall } from '#adapters/azure/open.ts'
import type { Azure } from '#cli/cloud/azure/azure.ts'
import { filesIn } from '#cli/cloud/azure/packages.ts'
import { cloudFolder } from '#cli/cloud/cloud-folder.ts'
import { readSettings } from '#cli/deployment/settings.ts'
import { connectInstitution } from '#cli/open/bridge.ts'
import { openInstitution } from '#cli/open/institution.ts'
import { pinnedPolicy } from '#cli/open/policy.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { allows } from '#infra/permissions/azure/allows.ts'
import { assignmentsOf, AZURE_NAMES, setUpAssignments } from '#infra/permissions/azure/roles.ts'
import { BACKUP, identitiesOf, moverOf } from '#infra/permissions/identities.ts'
import { jsonOf } from '#tests/cli/harness.ts'
import { entry, erase, migrateScene, PASSPHRASE, recordOf, withHome } from '#tests/e2e/migrate/scene.ts'
import { VAULT_URL } from '../fake-vault.ts'
import { namesOf } from '../stack-names.ts'
import { azureStack, EMULATOR, routed } from '../stack.ts'
import { builtRoles } from './failing.ts'
import { publishedHome } from './published-home.ts'
import { CREDENTIAL, PRINCIPAL, runOn, startWorld } from './world.ts'

const STAGE = 'e2e'
/** Object id of whoever backs up. */
const JOB = '44444444-4444-4444-4444-444444444444'
const GROUP = `ampere-${STAGE}`
const ROLES = identitiesOf('home')
const textOf = (content: Uint8Array) => new TextDecoder().decode(content)

/** ARM and publishing are fakes; tables, objects and keys are emulators', and what is published runs on them. */
async function start() {
  const [stack, world] = await Promise.all([azureStack(), startWorld()])
  const { cosmosEndpoint, blobEndpoint, database, blobPrefix = '' } = stack.naming
  world.arm.state.outputs = { cosmosEndpoint, blobEndpoint, database, vaultUrl: VAULT_URL }
  // As the template calls it.
  stack.vault.create('instance', 'EC', ['sign', 'verify'])
  const calls: AzureCall[] = []
  const platform = stack.open()
  const home = publishedHome(world.scm, GROUP, platform)
  const folder = builtRoles()
  const azure: Azure = {
    connection: world.connection,
    subscription: undefined,
    now: () => Date.now(),
    build: async () => ({
      files: (role) => filesIn(join(folder, role)),
      bundles: ROLES.map(({ name }) => ({ role: name, bytes: 9 })),
    }),
    open: (naming) =>
      openAzure({
        naming: { ...naming, blobPrefix },
        credential: CREDENTIAL,
        emulator: EMULATOR,
        makesKeys: true,
        send: routed({ [VAULT_URL]: stack.vault.origin }),
        limits: { keptMs: 2_000, connectMs: 30_000, requestMs: 60_000, idleMs: 60_000 },
        observe: (call) => void calls.push(call),
      }),
    fetch: home,
  }
  const names = { ...namesOf(stack), key: AZURE_NAMES.key, wrappingKey: AZURE_NAMES.wrappingKey }
  const close = async () => {
    await platform.close()
    await Promise.all([stack.close(), world.close()])
  }
  return { azure, world, calls, names, close }
}

describe('a home of this computer that is moved to Azure, on emulators of what it keeps', () => {
  const made: { running?: Awaited<ReturnType<typeof start>> } = {}
  const running = () => {
    if (!made.running) throw new Error('not started')
    return made.running
  }
  let scene: Awaited<ReturnType<typeof migrateScene>>
  let record: ChainId
  const folder = () => cloudFolder(scene.old, 'azure', STAGE)
  const ampere = (...args: readonly string[]) => {
    const common = ['--data', scene.old, '--passphrase-file', join(scene.root, 'passphrase')]
    return runOn(running().azure, args.concat(common, '--no-input', '--json'))
  }
  const connected = async () => {
    const settings = readSettings(folder())
    if (!settings) throw new Error('settings are expected')
    const hospital = await openInstitution(folder(), 'hospital-a', PASSPHRASE)
    const policy = pinnedPolicy(folder(), settings)
    return connectInstitution(hospital, settings, running().azure.fetch, { policy })
  }
  /** How much the template's newest deployment and all before it left to whoever deploys. */
  const assigned = () =>
    [...running().world.arm.resources(GROUP).values()].filter(
      ({ properties }) => (properties as { principalId?: string } | undefined)?.principalId === PRINCIPAL,
    ).length
  const ofSettingUp = setUpAssignments(ROLES).length

  beforeAll(async () => {
    made.running = await start()
    scene = await migrateScene(['hospital-a', 'hospital-b'])
    await withHome(scene.old, async (open) => {
      const { record: chain, device } = await recordOf(open, ['before', 'secret'], 1)
      record = chain
      await erase(open, record, device, 'secret')
    })
  }, 120_000)
  afterAll(async () => {
    await made.running?.close()
    rmSync(scene.root, { recursive: true })
  })

  it('has every chain there, the same byte by byte, and answers', async () => {
    const done = await ampere('migrate', '--to', `azure-${STAGE}`, '--region', 'westeurope')
    expect({ code: done.code, said: done.code === 0 ? '' : done.out + done.err }).toEqual({
      code: 0,
      said: '',
    })
    expect(jsonOf(done)).toMatchObject({
      deployment: 'home-2',
      unlogged: 0,
      compared: { chains: 2, differences: [], unlisted: 0 },
    })
    const connection = await connected()
    await connection.append(record, [entry('after')])
    const { opened, closed } = await connection.read(record)
    expect(opened.map(({ content }) => textOf(content))).toEqual(['before', 'after'])
    expect(closed.map(({ status }) => status)).toContain('erased')
  }, 300_000)

  it('asked for nothing but what setting up and receiving need, and what receiving needs was taken back', () => {
    const { calls, names } = running()
    const rights = [...setUpAssignments(ROLES, names), ...assignmentsOf(moverOf('receives'), names)]
    expect(calls.filter((call) => !allows(rights, call))).toEqual([])
    expect(assigned()).toBe(ofSettingUp)
  })

  it('is backed up there by whom the template names, who asks for nothing but what a backup reads', async () => {
    const { calls, names, world } = running()
    const to = join(scene.root, 'backup')
    const backUp = () => ampere('backup', '--to', to, '--cloud', `azure-${STAGE}`)
    expect(await backUp()).toMatchObject({
      code: 1,
      out: expect.stringContaining('backupPrincipal=OBJECT-ID'),
    })
    const named = await ampere('deploy', 'azure', '--stage', STAGE, '--param', `backupPrincipal=${JOB}`)
    expect({ code: named.code, said: named.code === 0 ? '' : named.out + named.err }).toEqual({
      code: 0,
      said: '',
    })
    const ofJob = () =>
      [...world.arm.resources(GROUP).values()].filter(({ properties }) =>
        JSON.stringify(properties ?? null).includes(JOB),
      ).length
    expect(ofJob()).toBe(assignmentsOf(BACKUP).length)
    calls.length = 0
    const done = await backUp()
    expect({ code: done.code, said: done.code === 0 ? '' : done.out + done.err }).toEqual({
      code: 0,
      said: '',
    })
    expect(jsonOf(done)).toMatchObject({ ok: true, resumed: false })
    const connection = await connected()
    await connection.append(record, [entry('since')])
    const tried = await ampere('restore', '--from', to, '--drill', '--cloud', `azure-${STAGE}`)
    expect({ code: tried.code, said: tried.code === 0 ? '' : tried.out + tried.err }).toEqual({
      code: 0,
      said: '',
    })
    expect(jsonOf(tried)).toMatchObject({ ok: true, erasures: 1, compared: { differences: [], unlisted: 0 } })
    expect(calls.length).toBeGreaterThan(20)
    expect(calls.filter((call) => !allows(assignmentsOf(BACKUP, names), call))).toEqual([])
    const nobody = await ampere('deploy', 'azure', '--stage', STAGE, '--param', 'backupPrincipal=')
    expect(nobody.code).toBe(0)
    expect(ofJob()).toBe(0)
  }, 300_000)

  it('goes from there into a folder, and then nothing runs there', async () => {
    const { calls, names, world } = running()
    calls.length = 0
    const back = join(scene.root, 'back')
    const done = await ampere('migrate', '--from', `azure-${STAGE}`, '--to', back, '--port', '19998')
    expect({ code: done.code, said: done.code === 0 ? '' : done.out + done.err }).toEqual({
      code: 0,
      said: '',
    })
    await withHome(back, async ({ connection }) => {
      const { opened } = await connection.read(record)
      expect(opened.map(({ content }) => textOf(content))).toEqual(['before', 'after', 'since'])
      await connection.append(record, [entry('back')])
    })
    const rights = [...setUpAssignments(ROLES, names), ...assignmentsOf(moverOf('leaves'), names)]
    expect(calls.filter((call) => !allows(rights, call))).toEqual([])
    expect(assigned()).toBe(ofSettingUp)
    const apps = [...world.arm.resources(GROUP).values()].filter(({ type }) => type === 'Microsoft.Web/sites')
    expect(apps).toEqual([])
  }, 300_000)
})
