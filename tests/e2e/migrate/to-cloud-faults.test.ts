// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { withFaults, type Fault } from '#adapters/around/faults.ts'
import { cloudFolder, readCloudDeployment } from '#cli/cloud/cloud-folder.ts'
import { readSettings } from '#cli/deployment/settings.ts'
import { homeOf } from '#cli/open/home.ts'
import { lookAtRestored } from '#cli/backup/look.ts'
import { select } from '#core/ports/needs.ts'
import { openLocal } from '#adapters/local/open.ts'
import { BACKUP_NEEDS } from '#core/server/backup/needs.ts'
import { areEqual, compareHomes } from '#core/server/compare/compare-homes.ts'
import { storedSource } from '#core/server/copy/source.ts'
import { jsonOf } from '#tests/cli/harness.ts'
import { fakeCloud, runOn } from './fake-cloud.ts'
import { erase, migrateScene, recordOf, withHome } from './scene.ts'

/** Calls after which something is there that was not before. */
const CHANGES = /\.(insert|replace|remove|store|shred|sign)$/

it('moves a home into a cloud whichever kind of call failed or was not known to be done, given again, and it has all of it once', async () => {
  const failed: string[] = []
  const pending: { fault: Fault | null } = { fault: null }
  // Each run fails at the first call of a kind that did not fail yet, and the next goes on from whatever that left.
  const cloud = fakeCloud((platform) => {
    const own = withFaults(platform)
    own.plan((_, name) => {
      const { fault } = pending
      if (fault === null || (fault === 'applied-unknown' && !CHANGES.test(name))) return null
      if (failed.includes(`${name} ${fault}`)) return null
      failed.push(`${name} ${fault}`)
      pending.fault = null
      return fault
    })
    return own.platform
  })
  const scene = await migrateScene(['hospital-a', 'hospital-b'])
  const migrate = () =>
    runOn(
      cloud,
      ['migrate', '--to', 'aws-prod', '--region', 'eu-central-1', '--data', scene.old].concat([
        '--passphrase-file',
        join(scene.root, 'passphrase'),
        '--no-input',
        '--json',
      ]),
    )
  await withHome(scene.old, async (open) => {
    const { record, device } = await recordOf(open, ['before', 'secret'], 1)
    await erase(open, record, device, 'secret')
  })
  for (const fault of ['not-applied', 'applied-unknown'] as const) {
    for (;;) {
      pending.fault = fault
      const before = failed.length
      const { code, said } = await migrate()
      if (failed.length === before) {
        expect({ code, said: code === 0 ? '' : said }).toEqual({ code: 0, said: '' })
        break
      }
      // A call that is made again by whoever made it ends well.
      if (code === 0) continue
      expect(said).toMatch(/STORE_UNAVAILABLE|KEY_UNAVAILABLE/)
    }
  }
  pending.fault = null
  expect(failed.length).toBeGreaterThan(30)
  const done = await migrate()
  expect(jsonOf(done)).toMatchObject({ ok: true, compared: { differences: [], unlisted: 0 } })
  const folder = cloudFolder(scene.old, 'aws', 'prod')
  const settings = readSettings(folder)
  const deployed = readCloudDeployment(folder)
  if (!settings || !deployed?.home) throw new Error('a home is expected')
  const old = openLocal({ folder: join(scene.old, 'home'), passphrase: null, beside: true, readOnly: true })
  const source = storedSource(await select(old, BACKUP_NEEDS))
  const there = storedSource(await select(cloud.platform, BACKUP_NEEDS))
  const compared = await compareHomes(source, there, { isLater: true, hasOwnLog: true })
  expect({ ...compared, isEqual: areEqual(compared) }).toMatchObject({ isEqual: true, chains: 2 })
  const { findings } = await lookAtRestored(
    { progress: () => ({ update: () => {}, stop: () => {} }) } as never,
    cloud.platform,
    homeOf(settings, cloud.platform),
    source,
  )
  expect(findings).toEqual([])
  await old.close()
  rmSync(scene.root, { recursive: true })
}, 400_000)
