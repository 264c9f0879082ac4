// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { memoryObjects } from '#adapters/memory/objects.ts'
import { backUp, backupScene, restored, sourceOf } from './scene.ts'

describe('a backup of a home that is written meanwhile', () => {
  it('verifies, whatever was appended and erased between two steps, and erases again what was erased', async () => {
    const steps = await countSteps()
    for (let at = 0; at < steps; at += 6) {
      const scene = await backupScene()
      const to = memoryObjects()
      let step = 0
      await backUp(scene, to, { partBytes: 1, goesOn: () => step++ < at })
      await scene.append('meanwhile')
      await scene.erase('erased later')
      await backUp(scene, to)
      const back = await restored(scene, await sourceOf(to))
      expect({ at, findings: back.findings, losses: back.report.losses }).toEqual({
        at,
        findings: [],
        losses: [],
      })
    }
  }, 120_000)

  async function countSteps(): Promise<number> {
    let steps = 0
    const scene = await backupScene()
    await backUp(scene, memoryObjects(), { partBytes: 1, goesOn: () => ++steps > 0 })
    return steps
  }
})
