// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import { createRecord } from '#core/client/acts/create-record.ts'
import { moveChain } from '#core/client/acts/move-chain.ts'
import { connect } from '#core/client/connect.ts'
import { homeApp } from '#functions/all.ts'
import { silentLog, silentTelemetry } from '#functions/host/telemetry.ts'
import { NEW_HOME } from '#tests/core/chain/small-chain.ts'
import { deployed, makeSigner, seededRandom, testDeployment } from '#tests/deployment.ts'
import { entry, HOME } from '../attempts.ts'

it('takes blocks only for the origin that the process has itself, whatever chain and registry agree on', async () => {
  const world = await testDeployment(['hospital-a'])
  const a = world.connect('hospital-a')
  const { record } = await createRecord(a, HOME, ['general'])
  const other = await makeSigner(world.random)
  await world.change('hospital-a', [deployed(world.institution('hospital-a').id, NEW_HOME, other)])
  const hosting = {
    now: () => world.clock.now,
    random: seededRandom(5),
    log: silentLog,
    telemetry: silentTelemetry,
  }
  const misled = { ...world.home, origin: 'http://before.test' }
  const { app } = await homeApp(world.platform, misled, hosting, { policy: null })
  const there = connect({
    ...a.ports,
    fetch: async (request) => (request.method === 'POST' ? app.fetch(request) : world.fetch(request)),
  })
  const refused = { code: 'BLOCK_REFUSED', message: expect.stringContaining('another origin') }
  await expect(there.append(record, [entry('one')])).rejects.toMatchObject(refused)
  // Nor does it let a chain go that is not there.
  await expect(moveChain(there, record, NEW_HOME)).rejects.toMatchObject({ code: 'CHAIN_MOVED' })
  expect(await a.append(record, [entry('one')])).toHaveLength(1)
})
