// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { existsSync, rmSync } from 'node:fs'
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
import { CLOUD_ORIGIN, fakeCloud, OTHER_ORIGIN, runOn } from './fake-cloud.ts'
import { entry, erase, migrateScene, OLD, PASSPHRASE, recordOf, withHome } from './scene.ts'

const textOf = (content: Uint8Array) => new TextDecoder().decode(content)

describe('a home in a cloud that is moved into the other cloud, and from there into a folder', () => {
  let scene: Awaited<ReturnType<typeof migrateScene>>
  const [first, second] = [fakeCloud(), fakeCloud(undefined, 'azure')]
  let record: ChainId
  const ampere = (data: string, ...args: string[]) =>
    runOn(
      { cloud: first.cloud, other: second.cloud },
      args.concat(
        '--data',
        data,
        '--passphrase-file',
        join(scene.root, 'passphrase'),
        '--no-input',
        '--json',
      ),
    )
  const folder = (name: 'aws' | 'azure') => cloudFolder(scene.old, name, 'prod')
  const at = async (name: 'aws' | 'azure') => {
    const settings = readSettings(folder(name))
    if (!settings) throw new Error('settings are expected')
    const hospital = await openInstitution(folder(name), 'hospital-a', PASSPHRASE)
    const fetch = (name === 'aws' ? first : second).cloud.reach(settings.origin)
    const policy = pinnedPolicy(folder(name), settings)
    return { settings, policy, connection: connectInstitution(hospital, settings, fetch, { policy }) }
  }
  const toAzure = () =>
    ampere(scene.old, 'migrate', '--from', 'aws-prod', '--to', 'azure-prod', '--region', 'westeurope')

  beforeAll(async () => {
    scene = await migrateScene(['hospital-a', 'hospital-b'])
    await withHome(scene.old, async (open) => {
      const made = await recordOf(open, ['before', 'secret'], 1)
      record = made.record
      await erase(open, record, made.device, 'secret')
    })
    const args = ['migrate', '--to', 'aws-prod', '--region', 'eu-central-1']
    expect(await ampere(scene.old, ...args)).toMatchObject({ code: 0 })
    await (await at('aws')).connection.append(record, [entry('in the first')])
  }, 60_000)
  afterAll(() => rmSync(scene.root, { recursive: true }))

  it('goes on when it is given again after a step of a provider failed; until a chain moved the old home may go on', async () => {
    first.state.fails = 'before leave'
    expect(await toAzure()).toMatchObject({ code: 1, said: expect.stringContaining('before leave') })
    first.state.fails = 'stop'
    expect(await toAzure()).toMatchObject({ code: 1, said: expect.stringContaining('stop') })
    await (await at('aws')).connection.append(record, [entry('meanwhile')])
    first.state.fails = null
    expect(await ampere(scene.old, 'deploy', 'aws', '--stage', 'prod')).toMatchObject({ code: 0 })
    expect(first.state.mayMove).toBe(false)
    first.state.fails = 'end'
    expect(await toAzure()).toMatchObject({ code: 1, said: expect.stringContaining('end') })
    first.state.fails = null
    expect(first.state.home).toBeNull()
    expect(await ampere(scene.old, 'deploy', 'aws', '--stage', 'prod')).toMatchObject({
      code: 1,
      said: expect.stringMatching(/CHAIN_MOVED.*moved to azure-prod/),
    })
  }, 60_000)

  it('is at home in the other cloud with all that the first had, and whoever moved it has no rights in either', async () => {
    const done = await toAzure()
    expect(done).toMatchObject({ code: 0, err: '' })
    expect(jsonOf(done)).toMatchObject({
      ok: true,
      deployment: 'home-3',
      origin: OTHER_ORIGIN,
      unlogged: 0,
      compared: { differences: [], unlisted: 0 },
    })
    expect([first.state.mayMove, second.state.mayMove]).toEqual([false, false])
    const { connection, settings, policy } = await at('azure')
    expect(settings.left).toEqual(
      expect.arrayContaining([
        expect.stringContaining(new URL(CLOUD_ORIGIN).host),
        expect.stringContaining(new URL(OLD).host),
      ]),
    )
    await connection.append(record, [entry('in the second')])
    const { opened } = await connection.read(record)
    expect(opened.map(({ content }) => textOf(content))).toEqual([
      'before',
      'in the first',
      'meanwhile',
      'in the second',
    ])
    const report = await verifyExport(
      await exportRecord(connection, record),
      policy ? { registry: settings.registry, policy } : {},
    )
    expect(report).toMatchObject({ origin: OTHER_ORIGIN, problems: [] })
    expect(new Set(report.statuses)).toEqual(new Set(['logged', 'erasing']))
    expect(readCloudDeployment(folder('azure'))?.home?.deployment).toBe('home-3')
  }, 60_000)

  it('goes from there into a folder of this computer, where it serves', async () => {
    const target = join(scene.root, 'back')
    const done = await ampere(scene.old, 'migrate', '--from', 'azure-prod', '--to', target, '--port', '19996')
    expect(done).toMatchObject({ code: 0, err: '' })
    expect(existsSync(join(target, 'settings.json'))).toBe(true)
    await withHome(target, async ({ connection }) => {
      await connection.append(record, [entry('back')])
      const { opened } = await connection.read(record)
      expect(opened.at(-1)?.content).toEqual(new TextEncoder().encode('back'))
      expect(opened).toHaveLength(5)
    })
    expect(await ampere(target, 'verify', '--all')).toMatchObject({ code: 0 })
    expect(second.state.home).toBeNull()
    expect(await ampere(scene.old, 'migrate', '--from', 'aws-nowhere', '--to', target)).toMatchObject({
      code: 1,
      said: expect.stringContaining('NOT_FOUND'),
    })
  }, 60_000)
})
