// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from '@jest/globals'
import { failAt } from '#adapters/around/faults.ts'
import { REGISTRY_PARTITION } from '#core/server/store/registry.ts'
import { loggedHeight } from '#core/server/store/log.ts'
import { FAULTS } from '#tests/fault/each-call.ts'
import { FOLLOWER, followedWorld, type FollowedWorld } from './followed-world.ts'

let at: FollowedWorld
beforeEach(async () => {
  at = await followedWorld()
})

const blocksOf = async ({ platform }: Pick<FollowedWorld, 'platform'>) =>
  (await platform.table('registry').range(REGISTRY_PARTITION)).map(({ value }) =>
    Buffer.from(value).toString(),
  )
const height = async () => (await at.home.registry.refresh()).height()

describe('a home that follows a registry', () => {
  it('has every block that the home of the registry has, and logs each in its own log', async () => {
    await at.tendLog()
    await at.enrol('hospital-a')
    await at.enrol('hospital-b')
    expect(await at.follow()).toEqual({ outcome: 'followed', added: 2, more: false, overdue: 0 })
    await at.tendLog()
    expect(await blocksOf(at)).toEqual(await blocksOf(at.world))
    expect(await loggedHeight(at.platform.table('leaves'), at.world.registryId)).toBe(3)
    expect(await at.follow()).toEqual({ outcome: 'followed', added: 0, more: false, overdue: 0 })
  })

  it('goes on where a run came to its bound, and says that it was not all before', async () => {
    for (let i = 0; i < 5; i++) await at.enrol('hospital-a')
    expect(await at.follow(2)).toMatchObject({ added: 2, more: true })
    expect(await at.standing()).toMatchObject({ registry: 'unseen', seen: null })
    expect(await at.follow(2)).toMatchObject({ added: 2, more: true })
    expect(await at.follow(2)).toMatchObject({ added: 1, more: false })
    expect(await at.standing()).toMatchObject({ registry: 'followed' })
  })

  it('is harmed by no second run beside it', async () => {
    await at.enrol('hospital-a')
    const runs = await Promise.all([at.follow(), at.follow(), at.follow()])
    expect(runs.map(({ outcome }) => outcome)).toEqual(['followed', 'followed', 'followed'])
    expect(await blocksOf(at)).toEqual(await blocksOf(at.world))
    expect((await at.standing()).fork).toBeNull()
  })

  it('says that it has not seen the home of the registry for 300 s, and goes on answering', async () => {
    await at.follow()
    at.clock.now += 300_000
    expect(await at.standing()).toMatchObject({ registry: 'followed' })
    at.clock.now += 1
    expect(await at.standing()).toMatchObject({ registry: 'unseen', origin: at.world.home.origin })
    const ready = await at.fetch(new Request(`${FOLLOWER.origin}/health/ready`))
    expect(await ready.json()).toMatchObject({ status: 'ready', registry: 'unseen' })
    const said = await at.fetch(new Request(`${FOLLOWER.origin}/.well-known/ampere`))
    expect(await said.json()).toMatchObject({
      following: { standing: 'unseen', home: at.world.home.origin, seen: '2026-11-01T08:00:00.000Z' },
    })
  })

  it('says at the home of the registry that it is at home', async () => {
    const ready = await at.world.fetch(new Request(`${at.world.home.origin}/health/ready`))
    expect(await ready.json()).toEqual({ status: 'ready', log: 'ok', registry: 'home' })
  })

  it('keeps the reason why the home of the registry was not seen, and since when, until it is seen again', async () => {
    at.instead(async () => new Response('no', { status: 503 }))
    await expect(at.follow()).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' })
    at.clock.now += 60_000
    await expect(at.follow()).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' })
    expect((await at.standing()).failed).toEqual({
      since: '2026-11-01T08:00:00.000Z',
      time: '2026-11-01T08:01:00.000Z',
      code: 'UPSTREAM_FAILED',
      rule: null,
    })
    at.instead(null)
    await at.follow()
    expect((await at.standing()).failed).toBeNull()
  })

  it('asks nobody any more once the registry has moved to it', async () => {
    const rules = { v: 1, kind: 'rules', home: FOLLOWER.deployment, demo: true } as const
    await at.world.change('hospital-a', [{ act: 'rules', rules }], ['hospital-a', 'hospital-b'])
    expect(await at.follow()).toMatchObject({ outcome: 'followed', added: 1 })
    at.instead(async () => {
      throw new Error('nobody is asked')
    })
    expect(await at.follow()).toMatchObject({ outcome: 'home', added: 0 })
    expect(await at.standing()).toMatchObject({ registry: 'home', origin: FOLLOWER.origin })
  })

  it.each(FAULTS)('has every block once, whichever call fails (%s)', async (fault) => {
    await at.enrol('hospital-a')
    at.faults.plan(() => null)
    await at.follow()
    const calls = at.faults.calls().length
    expect(calls).toBeGreaterThan(5)
    for (let k = 0; k < calls; k++) {
      await at.enrol('hospital-a')
      at.faults.plan(failAt(k, fault))
      await at.follow().catch(() => undefined)
      at.faults.plan(() => null)
      expect(await at.follow()).toMatchObject({ outcome: 'followed', more: false })
      expect({ k, blocks: await blocksOf(at) }).toEqual({ k, blocks: await blocksOf(at.world) })
      expect(await at.standing()).toMatchObject({ registry: 'followed', failed: null, fork: null })
    }
    expect(await height()).toBe(2 + calls)
  })
})
