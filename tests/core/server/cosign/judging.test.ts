// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { withFaults } from '#adapters/around/faults.ts'
import type { Platform } from '#core/ports/needs.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { formatPolicy, parsePolicy } from '#core/log/policy/policy.ts'
import { withKeptKeys } from '#tests/kept-keys.ts'
import { openMemory } from '#adapters/memory/open.ts'
import { HOME, olderCopy, opened } from './older-copy.ts'
import { logKeysOf, makeWitness, witnessedWorld } from './witnessed-world.ts'

const BEHIND = [500, 'STORE_CORRUPT']
const NOT_NOW = [503, 'STORE_UNAVAILABLE']
const headOf = (record: string) => `/v1/chains/${record}/head`

/** Fails the k-th call of those that read where the log stands. */
function failingReads(base: Platform) {
  const { platform, plan } = withFaults(base)
  const failAt = (k: number) => {
    let reads = 0
    plan((_, name) =>
      /^(table\.checkpoints\.get|objects\.log\.fetch)$/.test(name) && reads++ === k ? 'not-applied' : null,
    )
  }
  return { platform, failAt }
}

describe('an older copy whose own store does not answer once while it is judged', () => {
  it.each([0, 1, 2, 3, 4])(
    'signs nothing in that request, nor later, whichever read it was: %i',
    async (k) => {
      for (const [names, looksOnly] of [
        [['w1', 'w2'], false],
        [['w1', 'w2'], true],
        [['w1'], false],
      ] as const) {
        const made = await olderCopy(names, names.length)
        const { platform, failAt } = failingReads(made.base)
        const { get } = await opened({ ...made, base: platform }, looksOnly)
        failAt(k)
        expect([BEHIND, NOT_NOW]).toContainEqual(await get(headOf(made.record)))
        for (const ms of [0, 60_000, 1_800_000]) {
          made.clock.now += ms
          expect(await get(headOf(made.record))).toEqual(BEHIND)
        }
      }
    },
  )

  it('signs nothing where nothing can be written', async () => {
    const made = await olderCopy(['w1', 'w2'], 2)
    const { platform, plan } = withFaults(made.base)
    const { get } = await opened({ ...made, base: platform })
    plan((_, name) => (/^table\.checkpoints\.(insert|swap)$/.test(name) ? 'not-applied' : null))
    for (let i = 0; i < 3; i++) {
      expect(await get(headOf(made.record))).toEqual(BEHIND)
      made.clock.now += 600_000
    }
  })

  it('signs nothing where what it published cannot be opened any more', async () => {
    const made = await olderCopy(['w1', 'w2'], 2)
    const checkpoints = made.base.table('checkpoints')
    const row = await checkpoints.get('log', 'published')
    await checkpoints.swap('log', 'published', row?.version ?? null, utf8('damaged'))
    expect(await (await opened(made)).get(headOf(made.record))).toEqual(BEHIND)
  })
})

describe('a witness that says that it has more', () => {
  it('is asked to show it until it does, while the quorum is fresh without it', async () => {
    const made = await olderCopy(['w1', 'w2', 'w3'], 2)
    const { base, between, clock, policy, record, world, witnesses } = made
    const [first = '', ...others] = witnesses
    // The others saw only what is in the copy.
    for (const [i, origin] of others.entries()) {
      const keys = (await logKeysOf(base)).map(formatVerifierKey)
      const fresh = await makeWitness(origin, keys, clock, 21 + i)
      between.set(origin, fresh.app)
    }
    const good = between.get(first)
    let shows = 0
    between.set(first, async (request) => {
      if (request.method === 'POST' || !good) return (await good?.(request)) ?? new Response('')
      return shows++ === 0 ? new Response('', { status: 503 }) : good(request)
    })
    const { get, tendLog } = await opened({ ...made, world, policy })
    expect(await get(headOf(record))).not.toEqual(BEHIND)
    clock.now += 5_000
    await tendLog()
    expect(shows).toBeGreaterThan(1)
    expect(await get(headOf(record))).toEqual(BEHIND)
  })

  it('and shows nothing is asked less and less often', async () => {
    const made = await witnessedWorld(['w1', 'w2', 'w3'], 2)
    const { between, clock, witnesses, world } = made
    await world.tendLog()
    let shows = 0
    between.set(witnesses[0] ?? '', async ({ method }) => {
      if (method !== 'POST') shows++
      return new Response(method === 'POST' ? '9000\n' : '', { status: method === 'POST' ? 409 : 404 })
    })
    const { tendLog } = await opened(made)
    for (let seconds = 0; seconds < 120; seconds++) {
      clock.now += 1000
      await tendLog()
    }
    expect(shows).toBeGreaterThan(3)
    expect(shows).toBeLessThan(12)
  })

  it('of another home that had this origin and other keys before is no proof, also where the policy has those keys', async () => {
    const made = await witnessedWorld(['w1'], 1)
    await made.world.tendLog()
    const earlier = await logKeysOf(made.base)
    const base = withKeptKeys(
      openMemory({ now: () => made.clock.now, fetch: made.base.fetch }),
      'another-home',
    )
    const logs = (await logKeysOf(base)).map((key) => `log ${formatVerifierKey(key)}\n`).join('')
    const policy = parsePolicy(`${logs}${formatPolicy(made.policy)}`)
    expect(policy.logs).toHaveLength(earlier.length + 2)
    const { get } = await opened({ ...made, base, policy })
    expect(await get('/log/checkpoint')).toEqual([404, 'NOT_FOUND'])
  })
})

describe('a home of which nothing is published', () => {
  it('asks its witnesses what they have, and one that shows nothing less and less often', async () => {
    const made = await witnessedWorld(['w1'], 1)
    await createRecord(made.world.connect('hospital-a'), HOME, ['general'])
    let shows = 0
    made.between.set(made.witnesses[0] ?? '', async () => {
      shows++
      return new Response('', { status: 404 })
    })
    const { platform, plan } = withFaults(made.base)
    const { tendLog } = await opened({ ...made, base: platform })
    plan((_, name) => (name.startsWith('objects.staging.') ? 'not-applied' : null))
    for (let seconds = 0; seconds < 60; seconds++) {
      made.clock.now += 1000
      await tendLog()
    }
    expect(shows).toBeGreaterThan(2)
    expect(shows).toBeLessThan(10)
  })
})
