// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from '@jest/globals'
import { failAt } from '#adapters/around/faults.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { authorize } from '#core/api/request.ts'
import type { ShownAnswer, ShownPageAnswer } from '#core/api/answers.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import type { Fetch, Signer } from '#core/ports/keys.ts'
import { select } from '#core/ports/needs.ts'
import { buildChange, keyRecord } from '#core/registry/build.ts'
import { signRevocation } from '#core/registry/revocation.ts'
import { showRevocation } from '#core/server/follow/show-revocation.ts'
import { addRegistryBlock, REGISTRAR_NEEDS } from '#core/server/registrar.ts'
import { createRegistrySource } from '#core/server/store/registry.ts'
import { createFollowing } from '#functions/follower/following.ts'
import { FOLLOW_NEEDS } from '#core/server/follow/needs.ts'
import type { LogFields } from '#functions/host/telemetry.ts'
import { makeSigner } from '#tests/deployment.ts'
import { FAULTS } from '#tests/fault/each-call.ts'
import { followedWorld, type FollowedWorld } from './followed-world.ts'

let at: FollowedWorld
beforeEach(async () => {
  at = await followedWorld()
})

/** What a home answers an app instance that asks something which every active one may. */
async function statusFor(fetch: Fetch, origin: string, signer: Signer): Promise<number> {
  const url = new URL('/v1/held', origin)
  const { clock, world } = at
  const asks = { now: () => clock.now, random: world.random, signer }
  const authorization = await authorize({ method: 'GET', url, body: new Uint8Array(0) }, asks)
  return (await fetch(new Request(url, { headers: { authorization } }))).status
}
const atFollower = (signer: Signer) => statusFor(at.fetch, at.home.origin, signer)
const show = async (statement: string) =>
  at.fetch(
    new Request(`${at.home.origin}/v1/registry/revocations`, {
      method: 'POST',
      headers: { 'content-type': 'application/jose' },
      body: statement,
    }),
  )
const shown = async (query = ''): Promise<ShownPageAnswer> => {
  const answer = await at.fetch(new Request(`${at.home.origin}/v1/registry/revocations${query}`))
  return (await answer.json()) as ShownPageAnswer
}
const revoke = (kid: Signer['kid']) =>
  at.world.change('hospital-a', [{ act: 'revoke', kid, reason: 'compromised', suspectFrom: null }])

describe('a revocation', () => {
  it('that the home of the registry has is honoured after one run', async () => {
    const { instance, second } = at.world.institution('hospital-a')
    expect(await atFollower(instance)).toBe(200)
    await revoke(instance.kid)
    expect(await atFollower(instance)).toBe(200)
    await at.follow()
    expect(await atFollower(instance)).toBe(401)
    expect(await atFollower(second)).toBe(200)
  })

  it('that is shown is honoured at once, at any home, and by a process that begins later', async () => {
    const { instance, second } = at.world.institution('hospital-a')
    const statement = await at.revocationOf('hospital-a', instance.kid)
    const answer = await show(statement)
    expect(answer.status).toBe(201)
    expect((await answer.json()) as ShownAnswer).toEqual({
      statement,
      at: '2026-11-01T08:00:00.000Z',
      height: null,
      isOverdue: false,
    })
    expect(await atFollower(instance)).toBe(401)
    expect(await atFollower(second)).toBe(200)
    const later = createRegistrySource(at.platform.table('registry'), at.world.registryId, createVerifiers())
    const held = await later.refresh()
    expect(held.newest().get(`key/${instance.kid}`)).toMatchObject({ revoked: { reason: 'compromised' } })
    // What the registry itself says, and proves, stays what it is.
    expect(held.said().get(`key/${instance.kid}`)).toMatchObject({ revoked: null })
  })

  it('that is shown is no block: the registry goes on, and what the home served of it is the same', async () => {
    const before = await at.fetch(new Request(`${at.home.origin}/v1/registry/blocks`))
    await show(await at.revocationOf('hospital-a', at.world.institution('hospital-a').instance.kid))
    const after = await at.fetch(new Request(`${at.home.origin}/v1/registry/blocks`))
    expect(await after.text()).toBe(await before.text())
    await at.enrol('hospital-b')
    expect(await at.follow()).toMatchObject({ outcome: 'followed', added: 1 })
    await at.tendLog()
  })

  it('that is shown is owed after 60 s, said and counted, until the registry has it', async () => {
    const { instance } = at.world.institution('hospital-a')
    const events: LogFields[] = []
    const follow = createFollowing(await select(at.platform, FOLLOW_NEEDS), at.home, (line) =>
      events.push(line),
    )
    await show(await at.revocationOf('hospital-a', instance.kid))
    at.clock.now += 60_000
    await follow()
    expect(await shown()).toMatchObject({ overdue: 0, items: [{ isOverdue: false }] })
    at.clock.now += 1
    await follow()
    await follow()
    expect(await shown()).toMatchObject({
      overdue: 1,
      items: [{ isOverdue: true, height: null }],
      next: null,
    })
    await revoke(instance.kid)
    await follow()
    expect(await shown()).toMatchObject({ overdue: 0, items: [{ isOverdue: false, height: 2 }] })
    expect(events.map(({ event }) => event)).toEqual([
      'revocation-overdue',
      'revocation-overdue',
      'registry-followed',
      'revocation-overdue-ended',
    ])
    expect(await atFollower(instance)).toBe(401)
  })

  it('that is owed is counted also where the home of the registry does not answer', async () => {
    const events: LogFields[] = []
    const follow = createFollowing(await select(at.platform, FOLLOW_NEEDS), at.home, (line) =>
      events.push(line),
    )
    await show(await at.revocationOf('hospital-a', at.world.institution('hospital-a').instance.kid))
    at.clock.now += 60_001
    at.instead(() => Promise.reject(new TypeError('refused')))
    await follow()
    expect(events).toEqual([
      { event: 'registry-unseen', role: 'follower', code: 'UPSTREAM_FAILED' },
      { event: 'revocation-overdue', role: 'follower', count: 1 },
    ])
  })

  it('that is shown again, or that the registry has, changes nothing', async () => {
    const { instance, second } = at.world.institution('hospital-a')
    const first = await show(await at.revocationOf('hospital-a', instance.kid))
    at.clock.now += 5000
    const again = await show(await at.revocationOf('hospital-a', instance.kid))
    expect(await again.text()).toBe(await first.text())
    await revoke(second.kid)
    await at.follow()
    const known = await show(await at.revocationOf('hospital-a', second.kid))
    expect(await known.json()).toMatchObject({ height: 2, isOverdue: false })
    expect((await shown()).items).toHaveLength(1)
  })

  it('is kept after the root key that signed it was replaced', async () => {
    const { instance, root, recovery } = at.world.institution('hospital-a')
    await show(await at.revocationOf('hospital-a', instance.kid))
    await replaceRoot(recovery)
    await at.follow()
    expect(await atFollower(instance)).toBe(401)
    const { second } = at.world.institution('hospital-a')
    const late = await show(await at.revocationOf('hospital-a', second.kid))
    expect(await late.json()).toMatchObject({
      code: 'VERIFICATION_FAILED',
      detail: expect.stringMatching(/rule author/),
    })
    expect(root.kid).not.toBe(recovery.kid)
    expect(await atFollower(second)).toBe(200)
  })

  async function replaceRoot(recovery: Signer): Promise<void> {
    const { world, clock } = at
    const { id } = world.institution('hospital-a')
    const next = await makeSigner(world.random)
    const link = (await world.home.registry.refresh()).link()
    if (!link) throw new Error('a registry is expected')
    const change = {
      act: 'replace-root' as const,
      institution: id,
      root: keyRecord(next.publicKey, 'root', { institution: id }),
    }
    const compact = await buildChange(
      { now: () => clock.now, random: world.random },
      link,
      [change],
      recovery,
    )
    await addRegistryBlock(await select(world.platform, REGISTRAR_NEEDS), world.home, compact)
  }

  it.each(FAULTS)('that was shown is refused by, whichever call failed (%s)', async (fault) => {
    const { instance } = at.world.institution('hospital-a')
    for (let k = 0; k < 4; k++) {
      const other = await followedWorld()
      const statement = await other.revocationOf('hospital-a', instance.kid)
      const theirs = await select(other.platform, REGISTRAR_NEEDS)
      other.faults.plan(failAt(k, fault))
      const outcome = await showRevocation(theirs, other.home, statement).then(
        () => 'done',
        () => 'failed',
      )
      other.faults.plan(() => null)
      if (outcome === 'failed') await showRevocation(theirs, other.home, statement)
      const held = await other.home.registry.refresh()
      expect({ k, revoked: held.newest().get(`key/${instance.kid}`) }).toMatchObject({
        k,
        revoked: { revoked: { reason: 'compromised' } },
      })
      expect(held.shown()).toHaveLength(1)
    }
  })
})

describe('a revocation is refused', () => {
  it.each([
    [
      'of a key of another institution',
      () => at.revocationOf('hospital-b', keys().instance.kid),
      /rule revoke/,
    ],
    ['of a root key', () => at.revocationOf('hospital-a', keys().root.kid), /rule revoke/],
    [
      'of a key that nobody knows',
      () => at.revocationOf('hospital-a', at.world.registryId as never),
      /rule revoke/,
    ],
    [
      'that was changed',
      async () => spoilt(await at.revocationOf('hospital-a', keys().instance.kid)),
      /signature/i,
    ],
    ['that is no statement', async () => 'e30.e30.e30', /JWS/],
  ])('%s', async (_, make, detail) => {
    const answer = await show(await make())
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(answer.status).toBeLessThan(500)
    expect(await answer.json()).toMatchObject({ detail: expect.stringMatching(detail) })
    expect(await shown()).toEqual({ items: [], overdue: 0, next: null })
    expect(await atFollower(keys().instance)).toBe(200)
  })

  it('that is for another registry', async () => {
    const { instance, root } = keys()
    const statement = await signRevocation(
      {
        v: 1,
        registry: instance.kid as never,
        kid: instance.kid,
        reason: 'retired',
        suspectFrom: null,
        time: toTimestamp(at.clock.now),
      },
      root,
    )
    expect(await (await show(statement)).json()).toMatchObject({
      detail: expect.stringMatching(/rule registry/),
    })
  })

  const keys = () => at.world.institution('hospital-a')
  const spoilt = (statement: string) => {
    const [header = '', payload = '', signature = ''] = statement.split('.')
    const at10 = signature[10] === 'A' ? 'B' : 'A'
    return `${header}.${payload}.${signature.slice(0, 10)}${at10}${signature.slice(11)}`
  }
})

describe('what was shown', () => {
  it('is given in pages by key id', async () => {
    const { instance, second } = at.world.institution('hospital-a')
    for (const { kid } of [instance, second]) await show(await at.revocationOf('hospital-a', kid))
    const [low, high] = [instance.kid, second.kid].toSorted()
    const first = await shown('?limit=1')
    expect(first).toMatchObject({ next: low })
    const rest = await shown(`?limit=1&after=${low ?? ''}`)
    expect(rest.next).toBeNull()
    expect(rest.items[0]?.statement).toBe(await at.revocationOf('hospital-a', high as Signer['kid']))
  })

  it('is not believed where its row was changed', async () => {
    const { instance, second } = at.world.institution('hospital-a')
    await show(await at.revocationOf('hospital-a', instance.kid))
    const table = at.platform.table('registry')
    const row = await table.get('blocks', `shown/${instance.kid}`)
    if (!row) throw new Error('a row is expected')
    await table.swap('blocks', row.key, row.version, null)
    await table.insert('blocks', `shown/${second.kid}`, row.value)
    const later = createRegistrySource(table, at.world.registryId, createVerifiers())
    await expect(later.refresh()).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  })
})
