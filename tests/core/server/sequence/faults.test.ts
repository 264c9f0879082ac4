// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { AFTER_KILL, AFTERWARDS, failEach, FAULTS, killAfterEach, RUNS } from './disturbed.ts'
import { makeScene, type Scene } from './scene.ts'

const held: { scene?: Scene } = {}
beforeAll(async () => {
  held.scene = await makeScene()
})
function theScene(): Scene {
  if (!held.scene) throw new Error('the scene was not made')
  return held.scene
}

describe.each(RUNS)('a sequencer whose stores and keys fail in a %s run', (run) => {
  for (const fault of FAULTS)
    for (const then of AFTERWARDS)
      it(`logs every block once, whichever call was ${fault}, then ${then}`, async () => {
        expect(await failEach(theScene(), { run, fault, next: then })).toBeGreaterThan(12)
      })
})

/**
 * A killed process makes no more calls. Failing all of its later calls, undone, is exactly that for everybody else:
 * nothing of it reaches a store after its last call, whatever it does with its errors, and it is not used again. Of
 * calls that are made at the same time, those that were made first are done; tests/core/server/sequence/model has other
 * orders.
 */
describe.each(RUNS)('a sequencer that is killed in a %s run', (run) => {
  for (const then of AFTER_KILL)
    it(`has every block logged once, whichever call was its last, then ${then}`, async () => {
      await killAfterEach(theScene(), run, then)
    })
})
