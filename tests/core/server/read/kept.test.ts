// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { keptFinder } from '#core/server/read/kept.ts'
import { WITNESSED_PARTITION } from '#core/server/store/log.ts'
import { witnessedWorld } from '#tests/core/server/cosign/witnessed-world.ts'
import { ORIGIN } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const RUNS = 3
const HOUR_MS = 3_600_000

it('every checkpoint that is kept is the one of the first receipt of some block, and an idle log keeps no more', async () => {
  const { world, policy, clock } = await witnessedWorld(['w1'], 1)
  const a = world.connect('hospital-a')
  const { record } = await createRecord(a, HOME, ['general'])
  await world.tendLog()
  for (let run = 0; run < RUNS; run++) {
    await a.append(record, [{ header: utf8('{}'), content: utf8(String(run)), compartment: 'general' }])
    clock.now += 2000
    await world.tendLog()
  }
  const checkpoints = world.platform.table('checkpoints')
  const rows = await checkpoints.range(WITNESSED_PARTITION)
  expect(rows.length).toBeGreaterThanOrEqual(RUNS + 1)
  let before = 0
  for (const { key, value } of rows) {
    // The first leaf behind the checkpoint before: without this row its receipt would be a later one.
    const { witnessed } = await keptFinder(checkpoints, policy)(before + 1)
    expect(witnessed).toBe(fromUtf8(value))
    before = Number(key)
  }
  for (let hour = 0; hour < 5; hour++) {
    clock.now += HOUR_MS
    await world.tendLog()
  }
  expect((await checkpoints.range(WITNESSED_PARTITION)).map(({ key }) => key)).toEqual(
    rows.map(({ key }) => key),
  )
})
