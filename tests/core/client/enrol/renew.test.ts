// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { keyInForce, isRenewalDue, renewInstance } from '#core/client/enrol/renew.ts'
import { sendEnrolment } from '#core/client/enrol/ask.ts'
import type { Connection } from '#core/client/connect.ts'
import { syncRegistry } from '#core/client/read/replica.ts'
import type { Signer } from '#core/ports/keys.ts'
import { makeSigner, testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { failEachCall, FAULTS, type Act } from '#tests/fault/each-call.ts'
import { approve, DAY_MS, DAYS, makeMachine, type Machine } from './machine.ts'

async function enrolled(world: TestDeployment, instance = 'ward-7'): Promise<Machine> {
  const machine = await makeMachine(world, { instance })
  await sendEnrolment(machine.connection.ports, machine.asked.compact)
  await approve(world, machine.asked.code)
  await syncRegistry(machine.connection.sync)
  return machine
}

const isDue = (connection: Connection, { kid }: Signer, nowMs: number) => {
  const at = keyInForce(connection, kid)
  return at && isRenewalDue(at.instance, at.sinceMs, nowMs)
}

describe('a renewal', () => {
  it('is due once less than a quarter of the time is left, and gives as much time again', async () => {
    const world = await testDeployment()
    const { connection, signer } = await enrolled(world)
    const start = world.clock.now
    expect(isDue(connection, signer, start + (DAYS * DAY_MS * 3) / 4)).toBe(false)
    expect(isDue(connection, signer, start + (DAYS * DAY_MS * 3) / 4 + 1)).toBe(true)
    world.clock.now += 80 * DAY_MS
    const next = await makeSigner(world.random, 'ES256')
    await renewInstance(connection, signer, next)
    expect(keyInForce(connection, next.kid)?.sinceMs).toBe(world.clock.now)
    expect(keyInForce(connection, signer.kid)).toBeNull()
    expect(isDue(connection, next, world.clock.now + (DAYS * DAY_MS * 3) / 4)).toBe(false)
    await expect(connection.api.head('A'.repeat(43) as never)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  })

  it('is refused again as soon as it is done, so that nobody adds blocks without end', async () => {
    const world = await testDeployment()
    const { connection, signer } = await enrolled(world)
    let current = signer
    let done = 0
    let refused: unknown = null
    while (refused === null && done < 10) {
      world.clock.now += 1000
      const next = await makeSigner(world.random, 'ES256')
      refused = await renewInstance(connection, current, next).then(
        () => null,
        (error: { code?: string }) => error.code,
      )
      if (refused === null) done++
      current = next
    }
    expect({ done, refused }).toEqual({ done: 0, refused: 'LIMIT_EXCEEDED' })
  })

  it('is never due for an instance that does not expire, which cannot be renewed', async () => {
    const world = await testDeployment()
    const connection = world.connect('hospital-a')
    await syncRegistry(connection.sync)
    const { instance } = world.institution('hospital-a')
    expect(isDue(connection, instance, world.clock.now + 9999 * DAY_MS)).toBe(false)
    const next = await makeSigner(world.random)
    await expect(renewInstance(connection, instance, next)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('comes too late once the instance has expired or was suspended', async () => {
    const world = await testDeployment()
    const [late, suspended] = [await enrolled(world), await enrolled(world, 'ward-8')]
    const revoke = {
      act: 'revoke' as const,
      kid: suspended.signer.kid,
      reason: 'suspended' as const,
      suspectFrom: null,
    }
    await world.change('hospital-a', [revoke])
    const next = await makeSigner(world.random)
    const refused = { code: expect.stringMatching(/^(NOT_FOUND|VIOLATION)$/) }
    await expect(renewInstance(suspended.connection, suspended.signer, next)).rejects.toMatchObject(refused)
    world.clock.now += DAYS * DAY_MS + 1
    await expect(renewInstance(late.connection, late.signer, next)).rejects.toMatchObject(refused)
  })

  it('by two processes with one next key happens once', async () => {
    const world = await testDeployment()
    const { connection, signer } = await enrolled(world)
    world.clock.now += DAY_MS
    const beside = world.connect('hospital-a', { signer })
    await syncRegistry(beside.sync)
    const next = await makeSigner(world.random)
    await Promise.all([connection, beside].map((one) => renewInstance(one, signer, next)))
    expect((await world.home.registry.refresh()).height()).toBe(2)
  })
})

const renewal: Act<{ world: TestDeployment; machine: Machine; next: Signer; height: number }> = {
  prepare: async ({ world }) => {
    const machine = await enrolled(world, `ward-${world.clock.now}`)
    world.clock.now += DAY_MS
    const height = (await world.home.registry.refresh()).height()
    return { world, machine, next: await makeSigner(world.random), height }
  },
  run: ({ machine, next }) => renewInstance(machine.connection, machine.signer, next),
  check: async ({ world, next, height }) => {
    const history = await world.home.registry.refresh()
    return { added: history.height() - height, at: history.since(`key/${next.kid}`) === height + 1 }
  },
  expected: { added: 1, at: true },
}

describe('renewing', () => {
  it.each(FAULTS)('is done once, whichever call fails: %s', async (fault) => {
    expect(await failEachCall(renewal, fault)).toBeGreaterThanOrEqual(1)
  })
})
