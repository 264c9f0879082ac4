// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { withFaults, type Fault } from '#adapters/around/faults.ts'
import { cloudFolder } from '#cli/cloud/cloud-folder.ts'
import { readSettings } from '#cli/deployment/settings.ts'
import { homeOf } from '#cli/open/home.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { auditChains, listChains } from '#core/server/audit/audit.ts'
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'
import { jsonOf } from '#tests/cli/harness.ts'
import { fakeCloud, runOn } from './fake-cloud.ts'
import { erase, migrateScene, recordOf, withHome } from './scene.ts'

/** Calls after which something is there that was not before. */
const CHANGES = /\.(insert|replace|swap|remove|store|shred|sign)$/

/** A stand-in for a provider whose stores fail, while whoever migrates uses them, at the first call of a kind that did not fail yet. */
function failingCloud() {
  const failed: string[] = []
  const next: { fault: Fault | null } = { fault: null }
  const cloud = fakeCloud((platform: Platform) => {
    const own = withFaults(platform)
    own.plan((_, name) => {
      const { fault } = next
      if (fault === null || (fault === 'applied-unknown' && !CHANGES.test(name))) return null
      if (failed.includes(`${name} ${fault}`)) return null
      failed.push(`${name} ${fault}`)
      next.fault = null
      return fault
    })
    return own.platform
  })
  return { cloud, failed, next }
}

/** A home with an erasure, of which there is a backup from before it and one from after. */
async function sceneOf() {
  const scene = await migrateScene(['hospital-a', 'hospital-b'])
  const backUp = (name: string) =>
    scene.ampere(scene.old, 'backup', '--to', join(scene.root, name), '--keep-days', '30')
  const { record, device } = await withHome(scene.old, (open) => recordOf(open, ['before', 'secret'], 1))
  expect((await backUp('first')).code).toBe(0)
  await withHome(scene.old, (open) => erase(open, record, device, 'secret'))
  expect((await backUp('second')).code).toBe(0)
  return scene
}

describe.each([
  ['a home of this computer', false],
  ['a home that is gone, from a backup', true],
])('%s', (_, isGone) => {
  it('is moved into a cloud whichever kind of call failed, done or not, each time it was given again, and is whole there', async () => {
    const { cloud, failed, next } = failingCloud()
    const scene = await sceneOf()
    if (isGone) rmSync(join(scene.old, 'home'), { recursive: true })
    const source = isGone ? ['--from', join(scene.root, 'first'), '--newer', join(scene.root, 'second')] : []
    const args = ['migrate', '--to', 'aws-prod', '--region', 'eu-central-1', '--data', scene.old].concat(
      ['--passphrase-file', join(scene.root, 'passphrase'), '--no-input', '--json'],
      source,
    )
    for (const fault of ['not-applied', 'applied-unknown'] as const) {
      for (let hasFailed = true; hasFailed;) {
        next.fault = fault
        const before = failed.length
        const { code, said } = await runOn(cloud, args)
        hasFailed = failed.length > before
        // A call that is made again by whoever made it ends well.
        if (code === 0) continue
        expect({ hasFailed, said }).toEqual({
          hasFailed: true,
          said: expect.stringMatching(/STORE_UNAVAILABLE|KEY_UNAVAILABLE/),
        })
      }
    }
    next.fault = null
    expect(failed.length).toBeGreaterThan(30)
    const done = jsonOf(await runOn(cloud, args))
    expect(done).toMatchObject({ ok: true, compared: { chains: 2, differences: [], unlisted: 0 } })
    expect(done['moved']).toHaveLength(2)
    const settings = readSettings(cloudFolder(scene.old, 'aws', 'prod'))
    if (!settings) throw new Error('a home is expected')
    const home = homeOf(settings, cloud.platform)
    const ports = await select(cloud.platform, AUDITOR_NEEDS)
    const { findings } = await auditChains(ports, home, listChains(ports), () => {})
    expect(findings).toEqual([])
    rmSync(scene.root, { recursive: true })
  }, 400_000)
})
