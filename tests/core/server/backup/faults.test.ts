// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { failAt, killAfter, withFaults, type FaultPlan } from '#adapters/around/faults.ts'
import { openMemory } from '#adapters/memory/open.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { BACKUP_NEEDS } from '#core/server/backup/needs.ts'
import { compareHomes } from '#core/server/compare/compare-homes.ts'
import { storedSource } from '#core/server/copy/source.ts'
import { FAULTS } from '#tests/fault/each-call.ts'
import { backUp, backupScene, emptyPlatform, restored, sourceOf, type BackupScene } from './scene.ts'

const SAME = { differences: [], unlisted: 0, erased: 0 }
/** So that there are several parts. */
const PART_BYTES = 6_000
/** Of several hundred calls one in so many is failed, unless SLOW=1 leaves none out. */
const STRIDE = process.env['SLOW'] === '1' ? 1 : 41

/** Fails each call of an act once, or each `stride`-th, on a platform of its own each time, repeats it, and looks. */
async function failEach(
  plan: (k: number) => FaultPlan,
  make: () => Platform,
  act: (platform: Platform) => Promise<unknown>,
  check: (platform: Platform, k: number) => Promise<void>,
  stride = 1,
): Promise<number> {
  for (let k = 0; ; k += stride) {
    const base = make()
    const faults = withFaults(base)
    faults.plan(plan(k))
    const failed = await act(faults.platform).then(
      () => false,
      () => true,
    )
    if (faults.calls().length <= k) return k
    faults.plan(() => null)
    if (failed) await act(faults.platform)
    await check(base, k)
  }
}

const PLANS: readonly (readonly [string, (k: number) => FaultPlan])[] = [
  ...FAULTS.map((fault) => [fault, (k: number) => failAt(k, fault)] as const),
  ['killed', (k) => killAfter(k)],
]

describe.each(PLANS)('a backup with one call %s', (_, plan) => {
  it('goes on, whichever call of the store that it is written to it was', async () => {
    const scene = await backupScene()
    const calls = await failEach(
      plan,
      () => openMemory(),
      (platform) => backUp(scene, platform.objects('mirror'), { partBytes: PART_BYTES }),
      async (platform) => {
        const source = await sourceOf(platform.objects('mirror'))
        expect(await compareHomes(scene.source, source)).toMatchObject(SAME)
      },
    )
    expect(calls).toBeGreaterThan(8)
  })
})

describe('a backup whose home does not answer once', () => {
  it('goes on, whichever call it was', async () => {
    const scene = await backupScene()
    const to = openMemory()
    let at = 0
    const calls = await failEach(
      (k) => failAt(k, 'not-applied'),
      () => scene.world.platform,
      async (platform) => {
        const source = storedSource(await select(platform, BACKUP_NEEDS))
        await backUp({ ...scene, source }, under(to, at), { partBytes: PART_BYTES })
      },
      async () => {
        expect(await compareHomes(scene.source, await sourceOf(under(to, at++)))).toMatchObject(SAME)
      },
      STRIDE,
    )
    expect(calls).toBeGreaterThan(100)
  })
})

describe('a restore from a backup that is killed', () => {
  it('goes on, after whichever call it was', async () => {
    const scene = await backupScene()
    const { to } = await backUp(scene, undefined, { partBytes: PART_BYTES })
    const source = await sourceOf(to)
    const calls = await failEach(
      killAfter,
      () => emptyPlatform(scene.world),
      (platform) => restoredIn(scene, source, platform),
      async (platform, k) => {
        const back = await restored(scene, source, {}, platform)
        const found = await compareHomes(scene.source, back.source)
        expect({ k, findings: back.findings, ...found }).toMatchObject({ k, findings: [], ...SAME })
      },
      STRIDE,
    )
    expect(calls).toBeGreaterThan(100)
  }, 120_000)

  const restoredIn = (scene: BackupScene, source: Parameters<typeof restored>[1], platform: Platform) =>
    restored(scene, source, {}, platform)
})

/** A store of its own for each attempt. */
function under(platform: Platform, attempt: number) {
  const objects = platform.objects('mirror')
  return {
    fetch: (name: string) => objects.fetch(`${attempt}/${name}`),
    store: (name: string, bytes: Uint8Array) => objects.store(`${attempt}/${name}`, bytes),
  }
}
