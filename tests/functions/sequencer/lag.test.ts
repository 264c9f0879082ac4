// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { withFaults } from '#adapters/around/faults.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { silentTelemetry } from '#functions/host/telemetry.ts'
import { ORIGIN, testDeployment } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }

async function scene() {
  const made: { faults?: ReturnType<typeof withFaults> } = {}
  const told: Record<string, number[]> = {}
  const world = await testDeployment(['hospital-a'], {
    platform: (base) => (made.faults = withFaults(base)).platform,
    telemetry: { ...silentTelemetry, amount: (name, value) => void (told[name] ??= []).push(value) },
  })
  const a = world.connect('hospital-a')
  const { record } = await createRecord(a, HOME, ['general'])
  const append = (text: string) =>
    a.append(record, [{ header: utf8('{}'), content: utf8(text), compartment: 'general' }])
  await world.tendLog()
  const last = (name: string) => told[name]?.at(-1)
  return {
    world,
    append,
    last,
    fail: (name: string | null) => made.faults?.plan((_, call) => (call === name ? 'not-applied' : null)),
  }
}

describe('how far logging is behind', () => {
  it('is how long the oldest block of a run waited, however many came after it, and nothing where none waits', async () => {
    const { world, append, last } = await scene()
    await append('one')
    world.clock.now += 4_000
    await append('two')
    world.clock.now += 3_000
    await world.tendLog()
    expect([last('log.lag'), last('log.blocks')]).toEqual([7_000, 2])
    world.clock.now += 60_000
    await world.tendLog()
    expect([last('log.lag'), last('log.blocks')]).toEqual([0, 0])
  })

  it('grows from the last run that came to its end while none does', async () => {
    const { world, append, last, fail } = await scene()
    await append('one')
    fail('table.checkpoints.swap')
    for (const seconds of [5, 25]) {
      world.clock.now += seconds * 1000
      await world.tendLog()
    }
    expect(last('log.lag')).toBe(30_000)
    fail(null)
    await world.tendLog()
    expect([last('log.lag'), last('log.blocks')]).toEqual([30_000, 1])
  })
})
