// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cloudFolder, readCloudDeployment } from '#cli/cloud/cloud-folder.ts'
import { readSettings } from '#cli/deployment/settings.ts'
import { connectInstitution } from '#cli/open/bridge.ts'
import { openInstitution } from '#cli/open/institution.ts'
import { pinnedPolicy } from '#cli/open/policy.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { jsonOf } from '#tests/cli/harness.ts'
import { CLOUD_ORIGIN, fakeCloud, runOn } from './fake-cloud.ts'
import { entry, erase, migrateScene, OLD, PASSPHRASE, recordOf, withHome } from './scene.ts'

const textOf = (content: Uint8Array) => new TextDecoder().decode(content)

describe('a home on this computer that is moved into a cloud', () => {
  let scene: Awaited<ReturnType<typeof migrateScene>>
  let cloud: ReturnType<typeof fakeCloud>
  let record: ChainId
  let revoked: string
  const folder = () => cloudFolder(scene.old, 'aws', 'prod')
  const ampere = (...args: string[]) =>
    runOn(
      cloud,
      args.concat(
        '--data',
        scene.old,
        '--passphrase-file',
        join(scene.root, 'passphrase'),
        '--no-input',
        '--json',
      ),
    )
  const migrate = () => ampere('migrate', '--to', 'aws-prod', '--region', 'eu-central-1')
  const connected = async () => {
    const settings = readSettings(folder())
    if (!settings) throw new Error('settings are expected')
    const hospital = await openInstitution(folder(), 'hospital-a', PASSPHRASE)
    const policy = pinnedPolicy(folder(), settings)
    const fetch = cloud.cloud.reach(CLOUD_ORIGIN)
    return { settings, policy, connection: connectInstitution(hospital, settings, fetch, { policy }) }
  }

  beforeAll(async () => {
    scene = await migrateScene(['hospital-a', 'hospital-b'])
    cloud = fakeCloud()
    await withHome(scene.old, async (open) => {
      const made = await recordOf(open, ['before', 'secret'], 1)
      record = made.record
      await erase(open, record, made.device, 'secret')
    })
    const enrolled = jsonOf(await ampere('instance', 'enrol', '--as', 'hospital-b'))
    const name = String(enrolled['instance'])
    revoked = String(enrolled['kid'])
    const said = await ampere('instance', 'revoke', name, '--as', 'hospital-b', '--confirm', name)
    expect(said.code).toBe(0)
  }, 60_000)
  afterAll(() => rmSync(scene.root, { recursive: true }))

  it('changes nothing where no region is named, or the stage is one of its own', async () => {
    expect(await ampere('migrate', '--to', 'aws-prod')).toMatchObject({
      code: 2,
      said: expect.stringContaining('--region'),
    })
    expect(existsSync(folder())).toBe(false)
    expect(cloud.state.steps).toEqual([])
  })

  it('goes on when it is given again after a step of the provider failed, and nothing else is founded there meanwhile', async () => {
    for (const step of ['before receive', 'after receive']) {
      cloud.state.fails = step
      expect(await migrate()).toMatchObject({ code: 1, said: expect.stringContaining(step) })
    }
    expect(await ampere('deploy', 'aws', '--stage', 'prod')).toMatchObject({
      code: 1,
      said: expect.stringMatching(/ALREADY_EXISTS.*being moved into aws-prod/),
    })
    for (const step of ['before deploy', 'after deploy']) {
      cloud.state.fails = step
      expect(await migrate()).toMatchObject({ code: 1, said: expect.stringContaining(step) })
      const refused = await ampere('start', '--once')
      expect(refused).toMatchObject({ code: 1, said: expect.stringContaining('CHAIN_MOVED') })
    }
    cloud.state.fails = null
  }, 120_000)

  it('is at home there, with its registry, and nobody may fill its stores any more', async () => {
    const done = await migrate()
    expect(done).toMatchObject({ code: 0, err: '' })
    expect(jsonOf(done)).toMatchObject({
      ok: true,
      folder: folder(),
      deployment: 'home-2',
      origin: CLOUD_ORIGIN,
      ended: [],
      unlogged: 0,
      compared: { chains: 2, differences: [], unlisted: 0 },
    })
    expect(cloud.state.mayMove).toBe(false)
    const known = readCloudDeployment(folder())
    expect(known).toMatchObject({
      stage: 'prod',
      institutions: [
        { id: 'hospital-a', name: 'hospital-a' },
        { id: 'hospital-b', name: 'hospital-b' },
      ],
      home: { deployment: 'home-2', origin: CLOUD_ORIGIN, registry: readSettings(scene.old)?.registry },
    })
    expect(known).not.toHaveProperty('receives')
  }, 60_000)

  it('answers with what it has: what was erased stays so, and an export verifies with receipts of both logs', async () => {
    const { connection, settings, policy } = await connected()
    await connection.append(record, [entry('after')])
    const { opened } = await connection.read(record)
    expect(opened.map(({ content }) => textOf(content))).toEqual(['before', 'after'])
    const report = await verifyExport(
      await exportRecord(connection, record),
      policy ? { registry: settings.registry, policy } : {},
    )
    expect(report).toMatchObject({ origin: CLOUD_ORIGIN, problems: [] })
    expect(new Set(report.statuses)).toEqual(new Set(['logged', 'erasing']))
  }, 60_000)

  it('refuses a key there that was revoked before', async () => {
    const { settings } = await connected()
    const hospital = await openInstitution(folder(), 'hospital-b', PASSPHRASE)
    const instances = hospital.instances.filter(({ kid }) => kid === revoked)
    expect(instances).toHaveLength(1)
    const fetch = cloud.cloud.reach(CLOUD_ORIGIN)
    const by = connectInstitution({ ...hospital, instances }, settings, fetch)
    await expect(by.append(record, [entry('stolen')])).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  })

  it('takes nothing at the old home any more, which says where it went', async () => {
    await withHome(scene.old, async ({ connection }) => {
      const moved = { code: 'CHAIN_MOVED', message: expect.stringContaining(CLOUD_ORIGIN) }
      await expect(connection.append(record, [entry('late')])).rejects.toMatchObject(moved)
    })
    const refused = await ampere('start', '--once')
    expect(refused).toMatchObject({ code: 1, said: expect.stringContaining('was moved to aws-prod') })
    expect(JSON.parse(readFileSync(join(scene.old, 'moved.json'), 'utf8'))).toEqual({
      v: 1,
      to: folder(),
      name: 'aws-prod',
      left: true,
    })
    expect(readSettings(scene.old)?.origin).toBe(OLD)
  }, 60_000)
})
