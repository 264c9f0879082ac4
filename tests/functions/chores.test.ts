// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { withFaults } from '#adapters/around/faults.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { homeChores } from '#functions/all.ts'
import { silentTelemetry, type LogFields } from '#functions/host/telemetry.ts'
import { ORIGIN, testDeployment } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }

describe("a home's chores", () => {
  it('finish an erasure that was interrupted, and say what failed until it does not', async () => {
    const made: { faults?: ReturnType<typeof withFaults> } = {}
    const world = await testDeployment(['hospital-a'], {
      platform: (base) => (made.faults = withFaults(base)).platform,
    })
    const a = world.connect('hospital-a')
    const { record } = await createRecord(a, HOME, ['general'])
    await a.append(record, [{ header: utf8('{}'), content: utf8('one'), compartment: 'general' }])
    const { instance, second } = world.institution('hospital-a')
    const { opened } = await a.read(record)
    const what = { scope: 'entries' as const, entries: opened, ground: 'misfiled' as const }
    const request = await requestErasure(a, record, what, { instances: [instance, second] })
    world.clock.now += 73 * 3_600_000
    made.faults?.plan((_, name) => (name === 'table.wraps.swap' ? 'not-applied' : null))
    await expect(settleErasure(a, record, request.block.height, 'complete')).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    })
    const lines: LogFields[] = []
    const waiting: number[] = []
    const hosting = {
      telemetry: { ...silentTelemetry, amount: (_: string, value: number) => void waiting.push(value) },
      now: () => world.clock.now,
      random: world.random,
      log: (line: LogFields) => void lines.push(line),
    }
    const chores = await homeChores(world.platform, world.home, hosting)
    await chores()
    expect(lines).toEqual([
      { event: 'erasures-failed', role: 'sweeper', code: 'STORE_UNAVAILABLE' },
      { event: 'swept', role: 'sweeper', count: 0 },
      { event: 'uploads-swept', role: 'sweeper', count: 0 },
      { event: 'jobs-swept', role: 'sweeper', count: 0 },
    ])
    made.faults?.plan((_, name) => (name === 'table.dirty.range' ? 'not-applied' : null))
    await chores()
    expect(lines.slice(4)).toEqual([
      { event: 'erasures', role: 'sweeper', count: 1 },
      { event: 'swept-failed', role: 'sweeper', code: 'STORE_UNAVAILABLE' },
      { event: 'uploads-swept', role: 'sweeper', count: 0 },
      { event: 'jobs-swept', role: 'sweeper', count: 0 },
    ])
    expect(waiting).toEqual([1, 0])
    made.faults?.plan(() => null)
    const view = await world.connect('hospital-a').read(record)
    expect(view.closed.map((item) => item.status)).toEqual(['erased'])
  })
})
