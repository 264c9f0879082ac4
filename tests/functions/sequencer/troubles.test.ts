// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { utf8 } from '#core/bytes/encoding.ts'
import { withAlarms } from '#cli/commands/deployment/alarms.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { MAX_REST_MS } from '#core/server/cosign/rests.ts'
import { homeApp } from '#functions/all.ts'
import type { LogFields } from '#functions/host/telemetry.ts'
import { role } from '#functions/sequencer/role.ts'
import { createSequencing } from '#functions/sequencer/sequencing.ts'
import { ORIGIN } from '#tests/deployment.ts'
import { witnessedWorld } from '#tests/core/server/cosign/witnessed-world.ts'

/** A home's sequencer, and what it says: to the log, and on the terminal of whoever runs it. */
async function scene() {
  const made = await witnessedWorld(['w1'], 1)
  const [told, said]: [LogFields[], string[]] = [[], []]
  const log = withAlarms(
    (fields) => told.push(fields),
    (line) => said.push(line),
  )
  const sequencing = createSequencing(await select(made.base, role.needs), made.world.home, made.policy, {
    log,
    now: made.base.now,
  })
  const tend = async () => {
    await sequencing.sequence()
    await sequencing.cosign()
  }
  const put = async (platform: Platform, key: string, value: Uint8Array | null) => {
    const table = platform.table('checkpoints')
    const row = await table.get('log', key)
    await table.swap('log', key, row?.version ?? null, value)
    return row?.value ?? null
  }
  return {
    ...made,
    told,
    said,
    log,
    sequencing,
    tend,
    put: (key: string, value: Uint8Array | null) => put(made.base, key, value),
  }
}

describe('a log that cannot go on', () => {
  it('is said on the terminal once, each time to the log, and once when it goes on', async () => {
    const { told, said, sequencing, tend, put } = await scene()
    await tend()
    expect([said, sequencing.isLogging()]).toEqual([[], true])
    const before = await put('tree', utf8('{}'))
    for (let i = 0; i < 3; i++) await tend()
    expect(told.filter(({ event }) => event === 'log-failed')).toEqual(
      Array.from({ length: 3 }, () => ({ event: 'log-failed', role: 'sequencer', code: 'STORE_CORRUPT' })),
    )
    expect(said).toEqual([expect.stringMatching(/^THE LOG STANDS STILL.*Next: npx ampere doctor$/)])
    expect(sequencing.isLogging()).toBe(false)
    await put('tree', before)
    for (let i = 0; i < 2; i++) await tend()
    expect(said.slice(1)).toEqual(['The log goes on: blocks are logged again.'])
    expect(told.filter(({ event }) => event === 'log-failed-ended')).toHaveLength(1)
    expect(sequencing.isLogging()).toBe(true)
  })

  it('is no alarm while a store only does not answer', async () => {
    const { said, log } = await scene()
    log({ event: 'log-failed', code: 'STORE_UNAVAILABLE' })
    log({ event: 'log-failed-ended' })
    expect(said).toEqual([])
    log({ event: 'log-failed', code: 'STORE_CORRUPT' })
    expect(said).toHaveLength(1)
  })

  it('is said at /health/ready, which stays 200: records can be read', async () => {
    const { base, world, put } = await scene()
    const { app, tendLog } = await homeApp(base, world.home, {
      now: base.now,
      random: base.random,
      log: () => {},
    })
    const ready = async () => {
      const answer = await app.fetch(new Request(new URL('/health/ready', ORIGIN)))
      return [answer.status, await answer.json()]
    }
    await tendLog()
    expect(await ready()).toEqual([200, { status: 'ready', log: 'ok', registry: 'home' }])
    const before = await put('tree', utf8('{}'))
    await tendLog()
    expect(await ready()).toEqual([200, { status: 'ready', log: 'failing', registry: 'home' }])
    await put('tree', before)
    await tendLog()
    expect(await ready()).toEqual([200, { status: 'ready', log: 'ok', registry: 'home' }])
  })
})

describe('a witness that is ahead of the home', () => {
  it('is an alarm until it cosigns again, also while it is left alone or does not answer', async () => {
    const { said, told, tend, between, witnesses, clock, world } = await scene()
    const [url = ''] = witnesses
    const good = between.get(url) as Fetch
    between.set(url, async () => new Response('9000\n', { status: 409 }))
    for (let i = 0; i < 3; i++) await tend()
    expect(said).toEqual([
      expect.stringMatching(/^A WITNESS SAYS THAT IT COSIGNED A LARGER TREE.*witness status$/),
      expect.stringMatching(/^THE STORES HERE ARE OLDER.*witness status/),
    ])
    between.delete(url)
    clock.now += MAX_REST_MS
    await tend()
    expect(said).toHaveLength(2)
    between.set(url, good)
    clock.now += MAX_REST_MS
    await tend()
    expect(said.slice(2)).toEqual([
      'No witness is ahead of this home any more.',
      'This home answers and logs again: no witness is ahead of it.',
    ])
    expect(told.filter(({ event }) => event === 'witness-ahead')).toHaveLength(1)
    expect(world.home.origin).toBe(ORIGIN)
  })
})
