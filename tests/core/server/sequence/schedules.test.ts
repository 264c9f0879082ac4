// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { select } from '#core/ports/needs.ts'
import type { FreshMarks } from '#core/server/sequence/marks/fresh-marks.ts'
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'
import { createSequencer, type Sequencer } from '#core/server/sequence/sequencer.ts'
import { CHAIN_CHARACTERS } from '#core/server/store/attempt.ts'
import { scheduler } from '#tests/core/server/scheduler.ts'
import { ORIGIN, testDeployment } from '#tests/deployment.ts'
import { auditFindings, entry } from './scene.ts'
import { expectedOf, wholeLog } from './whole-log.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }

/** Some of the shards. */
function toldOf(seed: number): FreshMarks {
  return new Map(
    CHAIN_CHARACTERS.split('')
      .filter((_, i) => (i * seed) % 3 === 0)
      .map((shard) => [shard, 0]),
  )
}

describe('several sequencers and appenders at once', () => {
  for (const seed of Array.from({ length: process.env['SLOW'] === '1' ? 200 : 8 }, (_, i) => i + 1))
    it(`never fork, lose or double a block (schedule ${seed})`, async () => {
      const world = await testDeployment(['hospital-a'])
      const connection = world.connect('hospital-a')
      const records = [
        await createRecord(connection, HOME, ['general']),
        await createRecord(connection, HOME, ['general']),
      ]
      const { wrap, run } = scheduler(seed)
      const scheduled = wrap(world.platform)
      const ports = await select(scheduled, SEQUENCER_NEEDS)
      const sequencers = Array.from({ length: 2 + (seed % 3) }, () => createSequencer(ports, world.home, 3))
      const sequence = async (sequencer: Sequencer) => {
        // Every other run is told of some shards, true or not.
        for (let i = 0; i < 4; i++) await sequencer.run(i % 2 === 0 ? null : toldOf(seed + i))
      }
      const append = async (chain: ChainId) => {
        for (let i = 0; i < 4; i++) {
          await connection.append(chain, [entry(String(i))])
          await new Promise((resolve) => setImmediate(resolve))
        }
      }
      const results = await run([...sequencers.map(sequence), ...records.map(({ record }) => append(record))])
      expect(results.filter(({ status }) => status === 'rejected')).toEqual([])
      const last = createSequencer(await select(world.platform, SEQUENCER_NEEDS), world.home)
      while ((await last.run()).outcome !== 'idle');
      const chains = records.flatMap(({ record, access }) => [record, access])
      const { heights } = await wholeLog(
        world.platform,
        await expectedOf(world.platform, world.registryId, chains),
      )
      expect(await auditFindings(world)).toEqual([])
      for (const { record } of records) expect(heights[record]).toEqual([0, 1, 2, 3, 4, 5])
    })
})
