// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import { withFaults } from '#adapters/around/faults.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { select } from '#core/ports/needs.ts'
import type { LogFields } from '#functions/host/telemetry.ts'
import { role } from '#functions/sequencer/role.ts'
import { createSequencing } from '#functions/sequencer/sequencing.ts'
import { ORIGIN, testDeployment } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const NOWHERE: ReadonlyMap<string, number> = new Map()

/** Logging of a home in which something waits, and how often it looked for marks. */
async function scene() {
  const world = await testDeployment(['hospital-a'])
  const faults = withFaults(world.platform)
  const said: LogFields[] = []
  const { sequence } = createSequencing(await select(faults.platform, role.needs), world.home, null, {
    log: (fields) => said.push(fields),
    now: () => world.clock.now,
  })
  const a = world.connect('hospital-a')
  const { record } = await createRecord(a, HOME, ['general'])
  await sequence()
  await a.append(record, [{ header: utf8('{}'), content: utf8('x'), compartment: 'general' }])
  const looks = () => faults.calls().filter((call) => call === 'table.dirty.range').length
  return { sequence, faults, said, looks, fresh: new Map([[record.slice(0, 1), world.clock.now]]) }
}

it('what was asked for when a run failed is looked for everywhere by the next', async () => {
  const { sequence, faults, said, fresh } = await scene()
  faults.plan((_, call) => (call === 'table.dirty.range' ? 'not-applied' : null))
  await sequence(fresh)
  faults.plan(() => null)
  said.length = 0
  await sequence(NOWHERE)
  expect(said).toContainEqual({ event: 'logged', role: 'sequencer', count: 1 })
})

it('all who ask while a run goes on have their shards looked at by the next', async () => {
  const { sequence, faults, fresh, looks, said } = await scene()
  faults.plan(() => null)
  said.length = 0
  const first = sequence(NOWHERE)
  await Promise.all([first, sequence(fresh), sequence(NOWHERE)])
  expect(looks()).toBe(1)
  expect(said).toContainEqual({ event: 'logged', role: 'sequencer', count: 1 })
})

it('one who asks for all shards has all of them looked at, whoever asks beside', async () => {
  const { sequence, faults, fresh, looks } = await scene()
  faults.plan(() => null)
  const first = sequence(NOWHERE)
  await Promise.all([first, sequence(fresh), sequence()])
  // With a round over old marks, which such runs make.
  expect(looks()).toBeGreaterThanOrEqual(64)
})
