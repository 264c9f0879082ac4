// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cloudFolder } from '#cli/cloud/cloud-folder.ts'
import { readSettings } from '#cli/deployment/settings.ts'
import { connectInstitution } from '#cli/open/bridge.ts'
import { openInstitution } from '#cli/open/institution.ts'
import { pinnedPolicy } from '#cli/open/policy.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { jsonOf } from '#tests/cli/harness.ts'
import { CLOUD_ORIGIN, fakeCloud, runOn } from './fake-cloud.ts'
import { entry, erase, migrateScene, PASSPHRASE, recordOf, withHome } from './scene.ts'

const textOf = (content: Uint8Array) => new TextDecoder().decode(content)

describe('a home that is gone with its keys, moved from a backup', () => {
  let scene: Awaited<ReturnType<typeof migrateScene>>
  let record: ChainId
  const cloud = fakeCloud()
  const ampere = (...args: string[]) => {
    const common = ['--data', scene.old, '--passphrase-file', join(scene.root, 'passphrase')]
    return runOn(cloud, args.concat(common, '--no-input', '--json'))
  }
  const backup = (name: string) => join(scene.root, name)
  const migrate = (...more: string[]) =>
    ampere(
      ...['migrate', '--from', backup('first'), '--newer', backup('second')].concat(
        ['--to', 'aws-prod', '--region', 'eu-central-1'],
        more,
      ),
    )

  beforeAll(async () => {
    scene = await migrateScene(['hospital-a', 'hospital-b'])
    const made = await withHome(scene.old, (open) => recordOf(open, ['before', 'secret'], 1))
    record = made.record
    expect((await ampere('backup', '--to', backup('first'), '--keep-days', '30')).code).toBe(0)
    await withHome(scene.old, (open) => erase(open, record, made.device, 'secret'))
    expect((await ampere('backup', '--to', backup('second'))).code).toBe(0)
  }, 60_000)
  afterAll(() => rmSync(scene.root, { recursive: true }))

  it('is refused while the home is there: what the backup lacks would be lost', async () => {
    expect(await migrate()).toMatchObject({ code: 1, said: expect.stringContaining('ALREADY_EXISTS') })
    expect(cloud.state.steps).toEqual([])
  })

  it('names what is known to be lost, and goes on without it only where that is accepted', async () => {
    await withHome(scene.old, ({ connection }) => connection.append(record, [entry('seen by nobody else')]))
    rmSync(join(scene.old, 'home'), { recursive: true })
    expect(await migrate()).toMatchObject({
      code: 3,
      said: expect.stringMatching(/rule tail: chain [\w-]{43}, block 7/),
    })
    expect(cloud.state.steps).toEqual([])
    expect(readdirSync(scene.old).filter((name) => name.startsWith('.moving-'))).toEqual([])
  }, 60_000)

  it('is at home in the new one, after each step of the provider failed once, with erasures carried out again', async () => {
    for (const step of ['before receive', 'after receive', 'before deploy', 'after deploy']) {
      cloud.state.fails = step
      expect(await migrate('--accept-loss')).toMatchObject({ code: 1, said: expect.stringContaining(step) })
    }
    cloud.state.fails = null
    const done = await migrate('--accept-loss')
    expect(done).toMatchObject({ code: 0, err: '' })
    expect(jsonOf(done)).toMatchObject({
      ok: true,
      deployment: 'home-2',
      origin: CLOUD_ORIGIN,
      unlogged: 0,
      compared: { chains: 2, differences: [], unlisted: 0 },
    })
    expect(jsonOf(done)['moved']).toHaveLength(2)
    expect(existsSync(join(scene.old, 'home'))).toBe(false)
  }, 120_000)

  it('answers there, takes blocks and changes of the registry, and an export verifies with receipts of both logs', async () => {
    const folder = cloudFolder(scene.old, 'aws', 'prod')
    const settings = readSettings(folder)
    if (!settings) throw new Error('settings are expected')
    const hospital = await openInstitution(folder, 'hospital-b', PASSPHRASE)
    const policy = pinnedPolicy(folder, settings)
    const fetch = cloud.cloud.reach(CLOUD_ORIGIN)
    // The other hospital saw nothing that was lost.
    const reader = await openInstitution(folder, 'hospital-a', PASSPHRASE)
    rmSync(join(reader.folder, 'seen.json'), { force: true })
    const connection = connectInstitution(reader, settings, fetch, { policy })
    await connection.append(record, [entry('after')])
    const { opened } = await connection.read(record)
    expect(opened.map(({ content }) => textOf(content))).toEqual(['before', 'after'])
    const bytes = await exportRecord(connection, record)
    const report = await verifyExport(bytes, policy ? { registry: settings.registry, policy } : {})
    expect(report).toMatchObject({ origin: CLOUD_ORIGIN, problems: [] })
    expect(new Set(report.statuses)).toEqual(new Set(['logged', 'erasing']))
    expect(hospital.instances.length).toBeGreaterThan(0)
  }, 60_000)
})
