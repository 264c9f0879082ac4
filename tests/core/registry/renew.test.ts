// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import type { Signer } from '#core/ports/keys.ts'
import { buildChange, keyRecord } from '#core/registry/build.ts'
import type { RegistryChange } from '#core/registry/block.ts'
import type { RegistryLink } from '#core/registry/reduce.ts'
import { MAX_EXPIRY_MS } from '#core/registry/rules/expiry.ts'
import { activeInstanceOf, asOf, isExpired, type RegistryView } from '#core/registry/snapshot.ts'
import { getRecord } from '#core/registry/state.ts'
import { seededRandom } from '#tests/deployment.ts'
import {
  apply,
  brokenRule,
  draftChange,
  draw,
  enrolment,
  found,
  must,
  seal,
  START,
  type Founded,
} from './members.ts'

const DAY = 86_400_000
let world: Founded
let first: Signer
let second: Signer
let link: RegistryLink

beforeAll(async () => {
  world = await found(['a', 'b'], seededRandom(61))
  first = await draw(world.random)
  second = await draw(world.random)
  link = await entered(30)
})

const at = (days: number) => START + days * DAY

function viewOf({ state, place }: RegistryLink): RegistryView {
  return {
    registry: place.registry,
    head: { height: place.height, id: place.id },
    get: (key) => getRecord(state, key),
  }
}

/** a-2, which expires after so many days. */
async function entered(days: number, more: RegistryChange[] = []): Promise<RegistryLink> {
  const { instance, ...enrol } = enrolment('a', 'a-2', first)
  const change = { ...enrol, instance: { ...instance, expires: toTimestamp(at(days)) } }
  return changed(world.link, 0, world.member('a').root, [change, ...more])
}

async function changed(parent: RegistryLink, days: number, author: Signer, changes: RegistryChange[]) {
  return apply(
    parent,
    await buildChange({ now: () => at(days), random: world.random }, parent, changes, author),
  )
}

const renewal = (signer: Signer, days: number, owner: readonly [string, string] = ['a', 'a-2']) => ({
  act: 'renew' as const,
  key: enrolment(...owner, signer).key,
  expires: toTimestamp(at(days)),
})

/** The rule that a block at so many days breaks, or null. */
async function rule(
  days: number,
  changes: RegistryChange[],
  author = first,
  parent = link,
): Promise<string | null> {
  const draft = { ...draftChange(parent, changes), time: toTimestamp(at(days)) }
  return brokenRule(parent, await seal(parent, draft, author))
}

describe('an instance that expires', () => {
  it('is active until that very moment, and not after it', () => {
    const view = viewOf(link)
    expect(activeInstanceOf(asOf(view, at(30)), first.kid)?.instance.id).toBe('a-2')
    expect(activeInstanceOf(asOf(view, at(30) + 1), first.kid)).toBeNull()
    expect(isExpired(asOf(view, at(30)), first.kid)).toBe(false)
    expect(isExpired(asOf(view, at(30) + 1), first.kid)).toBe(true)
    expect(isExpired(asOf(view, at(9999)), world.member('a').instance.kid)).toBe(false)
  })

  it('is entered with an end that is ahead, by at most 398 days', async () => {
    const { instance, ...enrol } = enrolment('a', 'a-3', second)
    const until = (ms: number) => [{ ...enrol, instance: { ...instance, expires: toTimestamp(START + ms) } }]
    const { root } = world.member('a')
    expect(await rule(0, until(MAX_EXPIRY_MS), root)).toBeNull()
    expect(await rule(0, until(MAX_EXPIRY_MS + 1), root)).toBe('expires')
    expect(await rule(0, until(0), root)).toBe('expires')
  })
})

describe('a renewal', () => {
  it('gives the instance a new key and more time, retires the old key, and changes nothing else', async () => {
    const before = getRecord(link.state, 'instance/a-2')
    const after = await changed(link, 25, first, [renewal(second, 300)])
    expect(getRecord(after.state, 'instance/a-2')).toEqual({
      ...before,
      signing: second.kid,
      expires: toTimestamp(at(300)),
    })
    expect(getRecord(after.state, `key/${first.kid}`)).toMatchObject({
      revoked: { reason: 'retired', suspectFrom: null, height: 2 },
    })
    expect(activeInstanceOf(asOf(viewOf(after), at(299)), second.kid)?.instance.id).toBe('a-2')
    expect(activeInstanceOf(viewOf(after), first.kid)).toBeNull()
    expect(after.changed).toHaveLength(3)
    expect(await rule(26, [renewal(await draw(world.random), 400)], first, after)).toBe('author')
  })

  it('is too late one moment after the end, and with a key that was revoked', async () => {
    expect(await rule(30, [renewal(second, 300)])).toBeNull()
    expect(await rule(30 + 1 / DAY, [renewal(second, 300)])).toBe('renew')
    const { root } = world.member('a')
    const revoke = { act: 'revoke' as const, kid: first.kid, reason: 'suspended' as const, suspectFrom: null }
    const revoked = await changed(link, 1, root, [revoke])
    expect(await rule(2, [renewal(second, 300)], first, revoked)).toBe('author')
  })

  it('is nothing that somebody else may do, and nothing that comes with more', async () => {
    const { root, instance } = world.member('a')
    expect(await rule(1, [renewal(second, 300)], root)).toBe('renew')
    expect(await rule(1, [renewal(second, 300)], world.member('a').recovery)).toBe('recovery-key')
    expect(await rule(1, [renewal(second, 300)], world.head)).toBe('author')
    expect(await rule(1, [renewal(second, 300, ['a', 'a-2'])], instance)).toBe('renew')
    expect(await rule(1, [renewal(second, 300), enrolment('a', 'a-9', instance)])).toBe('renew')
    expect(await rule(1, [enrolment('a', 'a-9', second)])).toBe('author')
  })

  it('takes only a fresh key of its own, and an end that is later and at most 398 days ahead', async () => {
    const root = keyRecord(second.publicKey, 'root', { institution: world.member('a').own[0].id })
    expect(await rule(1, [{ ...renewal(second, 300), key: root }])).toBe('renew')
    expect(await rule(1, [renewal(second, 300, ['a', 'a-1'])])).toBe('renew')
    expect(await rule(1, [renewal(second, 300, ['b', 'a-2'])])).toBe('renew')
    expect(await rule(1, [renewal(first, 300)])).toBe('kid-owner')
    expect(await rule(1, [renewal(world.member('b').instance, 300)])).toBe('kid-owner')
    expect(await rule(1, [renewal(second, 30)])).toBe('expires')
    expect(await rule(1, [renewal(second, 399)])).toBeNull()
    expect(await rule(1, [renewal(second, 400)])).toBe('expires')
  })

  it('leaves the old key to be found stolen later', async () => {
    const after = await changed(link, 25, first, [renewal(second, 300)])
    const stolen = {
      act: 'revoke' as const,
      kid: first.kid,
      reason: 'compromised' as const,
      suspectFrom: null,
    }
    const known = await changed(after, 26, world.member('a').root, [stolen])
    expect(getRecord(known.state, `key/${first.kid}`)).toMatchObject({
      revoked: { reason: 'compromised', height: 2 },
    })
    expect(activeInstanceOf(viewOf(known), second.kid)?.instance.id).toBe('a-2')
  })
})

/** What happens to an instance, in days: it renews itself for so long, or its root key revokes it. */
const step = fc.record({
  wait: fc.integer({ min: 0, max: 60 }),
  act: fc.constantFrom('renew' as const, 'renew' as const, 'renew' as const, 'revoke' as const),
  by: fc.constantFrom('current' as const, 'current' as const, 'earlier' as const),
  days: fc.integer({ min: 1, max: 420 }),
})

describe('whatever happens to an instance', () => {
  it('is renewed by its newest key alone, before its end, and has at most one key that is active', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
        let now = 0
        let end = 30
        let isRevoked = false
        let newest = link
        const keys = [first]
        for (const { wait, act, by, days } of steps) {
          now += wait
          const current = must(keys.at(-1))
          const author = by === 'current' ? current : must(keys[0])
          if (act === 'revoke') {
            const revoke = { act, kid: current.kid, reason: 'retired' as const, suspectFrom: null }
            if (!isRevoked) newest = await changed(newest, now, world.member('a').root, [revoke])
            isRevoked = true
            continue
          }
          const next = await draw(world.random)
          const change = renewal(next, now + days)
          const isCurrent = author.kid === current.kid && !isRevoked
          const isRight = isCurrent && now <= end && now + days > end && days <= 398
          const broken = await rule(now, [change], author, newest)
          expect(broken === null).toBe(isRight)
          if (!isRight) continue
          newest = await changed(newest, now, author, [change])
          keys.push(next)
          end = now + days
        }
        const active = keys.filter(({ kid }) => activeInstanceOf(asOf(viewOf(newest), at(now)), kid))
        expect(active).toEqual(isRevoked || now > end ? [] : [must(keys.at(-1))])
        expect(getRecord(newest.state, 'instance/a-2')).toMatchObject({ capabilities: ['control', 'create'] })
      }),
      { seed: 62, numRuns: 25 },
    )
  })
})
