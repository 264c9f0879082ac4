// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { countCalls } from '#adapters/around/counts.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { IDLE_CALLS } from '#infra/prices/idle-calls.ts'
import { configOf, openApart, type Apart } from '#tests/functions/host/apart.ts'
import { ORIGIN, testDeployment } from '#tests/deployment.ts'

const MINUTE_MS = 60_000
/** Longer than marks live, so that none is looked at again. */
const AFTER_MINUTES = 30
const ACTS = {
  sequencer: 'sequence',
  worker: 'work',
  follower: 'follow',
  monitor: 'monitor',
  eraser: 'erase',
  auditor: 'audit',
  sweeper: 'sweep',
  mirror: 'mirror',
} as const satisfies Readonly<Record<string, keyof Apart>>
const KINDS: Readonly<Record<string, string>> = {
  get: 'get',
  range: 'range',
  insert: 'write',
  swap: 'write',
  fetch: 'fetch',
  store: 'store',
  shred: 'store',
}

/** Calls of one role by kind, and how many tables they are about. */
function kindsOf(calls: Readonly<Record<string, number>>) {
  const counted = { get: 0, range: 0, write: 0, fetch: 0, store: 0 } as Record<string, number>
  const tables = new Set<string>()
  for (const [name, count] of Object.entries(calls)) {
    const [port, of = '', method = ''] = name.split('.')
    if (port === 'table') tables.add(of)
    const kind = KINDS[method] ?? method
    counted[kind] = (counted[kind] ?? 0) + count
  }
  return { ...counted, tables: tables.size }
}

describe('a home in which nothing happens', () => {
  it('asks of its stores what the estimate of its cost says, role by role', async () => {
    const world = await testDeployment(['hospital-a'])
    const counts = new Map<string, ReturnType<typeof countCalls>>()
    const of = (role: string) => {
      const counted = counts.get(role) ?? countCalls(world.platform)
      counts.set(role, counted)
      return counted.platform
    }
    const hosting = { now: () => world.clock.now, random: world.random, log: silentLog }
    const apart = await openApart(of, await configOf(world.platform, world.home), hosting)
    await apart.sequence()
    const connection = world.connect('hospital-a', { fetch: apart.fetch })
    await createRecord(connection, { deployment: asDeploymentId('home-1'), origin: ORIGIN }, ['general'])
    for (let minute = 0; minute < AFTER_MINUTES; minute++) {
      world.clock.now += MINUTE_MS
      await apart.sequence()
    }
    for (const act of Object.values(ACTS)) await apart[act]('schedule')
    const found: Record<string, object> = {}
    for (const [role, act] of Object.entries(ACTS)) {
      world.clock.now += MINUTE_MS
      await apart.sequence()
      counts.get(role)?.reset()
      await apart[act]('schedule')
      found[role] = kindsOf(counts.get(role)?.counts() ?? {})
    }
    const { checker: _, ...ofHome } = IDLE_CALLS
    expect(found).toEqual(ofHome)
  })
})
