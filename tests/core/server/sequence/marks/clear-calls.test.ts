// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import { countCalls } from '#adapters/around/counts.ts'
import { select } from '#core/ports/needs.ts'
import { createMarkCleaner } from '#core/server/sequence/marks/clear-marks.ts'
import { MARK_LIFE_MS } from '#core/server/sequence/marks/read-marks.ts'
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'
import { attempts } from '../../attempts.ts'
import { entry } from '../scene.ts'
import { marked, settle } from './marked.ts'

it('removing the mark of the newest block of a record reads that block once', async () => {
  const at = await attempts()
  await settle(at)
  at.world.clock.now += 2 * MARK_LIFE_MS
  const { platform, counts, reset } = countCalls(at.world.platform)
  const { tables } = await select(platform, SEQUENCER_NEEDS)
  await createMarkCleaner(tables).step(at.world.clock.now)
  expect(await marked(at, at.record)).toEqual([])
  await at.a.append(at.record, [entry('newest')])
  await settle(at)
  at.world.clock.now += 2 * MARK_LIFE_MS
  reset()
  await createMarkCleaner(tables).step(at.world.clock.now)
  expect(counts()).toEqual({
    'table.dirty.range': 64,
    'table.blocks.range': 1,
    'table.leaves.range': 1,
    'table.dirty.swap': 1,
  })
  expect(await marked(at, at.record)).toEqual([])
})
