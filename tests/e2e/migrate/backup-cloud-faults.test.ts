// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { withFaults, type FaultPlan } from '#adapters/around/faults.ts'
import type { Platform } from '#core/ports/needs.ts'
import { jsonOf } from '#tests/cli/harness.ts'
import { fakeCloud, runOn } from './fake-cloud.ts'
import { entry, migrateScene, recordOf, withHome } from './scene.ts'

/** One call in so many fails: what is asked again as a whole is never more calls. */
const EACH = 6

describe('a home in a cloud whose stores fail while it is backed up', () => {
  let scene: Awaited<ReturnType<typeof migrateScene>>
  const faults: { around: ReturnType<typeof withFaults> | null } = { around: null }
  const around = (platform: Platform): Platform => {
    faults.around = withFaults(platform)
    return faults.around.platform
  }
  const { cloud } = fakeCloud()
  const state: { plan: FaultPlan } = { plan: () => null }
  // Only what a backup opens fails: whoever migrates has the same stores, before.
  const opened = {
    ...cloud,
    read: async (known: Parameters<typeof cloud.read>[0]) => {
      const platform = around(await cloud.read(known))
      faults.around?.plan(state.plan)
      return platform
    },
  }
  const ampere = (...args: string[]) => {
    const common = ['--data', scene.old, '--passphrase-file', join(scene.root, 'passphrase')]
    return runOn({ cloud: opened }, args.concat(common, '--no-input', '--json'))
  }
  const backUp = (name: string) => ampere('backup', '--to', join(scene.root, name), '--cloud', 'aws-prod')

  beforeAll(async () => {
    scene = await migrateScene()
    await withHome(scene.old, async (open) => {
      const { record } = await recordOf(open, ['one'], 1)
      await open.connection.append(record, [entry('two')])
    })
    expect(await ampere('migrate', '--to', 'aws-prod', '--region', 'eu-central-1')).toMatchObject({ code: 0 })
  }, 60_000)
  afterAll(() => rmSync(scene.root, { recursive: true }))

  it('asks again for whatever calls did not give, of each kind, and the backup is the same', async () => {
    const { chains, blocks, objects, logFiles } = jsonOf(await backUp('whole'))
    const kinds = new Set(faults.around?.calls())
    const failed = new Set<string>()
    state.plan = (index, name) => {
      if (failed.has(name) && index % EACH !== 0) return null
      failed.add(name)
      return 'not-applied'
    }
    const done = await backUp('patient')
    expect(done).toMatchObject({ code: 0, err: '' })
    expect(jsonOf(done)).toMatchObject({ chains, blocks, objects, logFiles, resumed: false })
    expect(failed).toEqual(kinds)
  }, 60_000)

  it('ends where a store is away for longer, whatever was asked for, and the same command goes on once it is back', async () => {
    let ended = 0
    for (; ; ended++) {
      state.plan = (index) => (index >= ended ? 'not-applied' : null)
      const { code, said } = await backUp('away')
      if (code === 0) break
      expect([code, said]).toEqual([1, expect.stringContaining('STORE_UNAVAILABLE')])
    }
    expect(ended).toBeGreaterThan(20)
    state.plan = () => null
    const args = ['restore', '--from', join(scene.root, 'away'), '--drill', '--cloud', 'aws-prod']
    const drilled = await ampere(...args)
    expect(jsonOf(drilled)).toMatchObject({ ok: true, compared: { differences: [], unlisted: 0 } })
  }, 60_000)
})
