// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { countCalls } from '#adapters/around/counts.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import type { Fetch } from '#core/ports/keys.ts'
import type { Needs, Platform } from '#core/ports/needs.ts'
import { MAX_STANDING_MS } from '#core/server/standing/standing.ts'
import { HOME_ROLES } from '#functions/roles.ts'
import { ROLE_NAMES } from '#functions/host/role-names.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { olderCopy } from '#tests/core/server/cosign/older-copy.ts'
import { ORIGIN, testDeployment } from '#tests/deployment.ts'
import { configOf, openApart } from '../apart.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

/** A home whose roles are apart, with its calls counted for each role. */
async function homeApart() {
  const made: { fetch?: Fetch } = {}
  const world = await testDeployment(['hospital-a'])
  const counts = new Map<string, ReturnType<typeof countCalls>>()
  const of = (role: string): Platform => {
    const counted = counts.get(role) ?? countCalls(world.platform)
    counts.set(role, counted)
    return counted.platform
  }
  const hosting = { now: () => world.clock.now, random: world.random, log: silentLog }
  const apart = await openApart(of, await configOf(world.platform, world.home), hosting)
  made.fetch = apart.fetch
  const client = () => world.connect('hospital-a', { fetch: apart.fetch })
  const get = async (path: string) => apart.fetch(new Request(new URL(path, ORIGIN)))
  return { world, apart, client, get, counts }
}

describe('a home whose roles are in processes of their own', () => {
  it('answers nothing but how and who it is until its sequencer has looked', async () => {
    const { get, apart, world } = await homeApart()
    for (const path of ['/v1/registry/blocks', '/log/checkpoint', '/v1/chains/x/head']) {
      const refused = await get(path)
      expect(refused.status).toBe(503)
      expect(await refused.json()).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true })
    }
    expect((await get('/.well-known/ampere')).status).toBe(200)
    expect(await (await get('/health/ready')).json()).toMatchObject({ log: 'failing' })
    await apart.sequence()
    // What was read lately is not read again within the second.
    world.clock.now += 1000
    expect((await get('/v1/registry/blocks')).status).toBe(200)
  })

  it('says that it logs, and stops answering when nobody looked after its log for five minutes', async () => {
    const { get, apart, world } = await homeApart()
    await apart.sequence()
    expect(await (await get('/health/ready')).json()).toEqual({ status: 'ready', log: 'ok' })
    world.clock.now += MAX_STANDING_MS + 1
    expect((await get('/v1/registry/blocks')).status).toBe(503)
    await apart.sequence()
    // What was read lately is not read again within the second.
    world.clock.now += 1000
    expect((await get('/v1/registry/blocks')).status).toBe(200)
  })

  it('takes a record from its first block to its erasure, role by role', async () => {
    const { world, apart, client } = await homeApart()
    await apart.sequence()
    const { record } = await createRecord(client(), HOME, ['general'])
    await client().append(record, [entry('one')])
    await apart.sequence()
    const before = await client().read(record)
    expect(before.opened).toHaveLength(1)
    const { instance, second } = world.institution('hospital-a')
    const what = { scope: 'entries' as const, entries: before.opened, ground: 'misfiled' as const }
    const request = await requestErasure(client(), record, what, { instances: [instance, second] })
    world.clock.now += 73 * 3_600_000
    await apart.sequence()
    await settleErasure(client(), record, request.block.height, 'complete')
    const keys = async () => (await world.platform.table('wraps').range(record)).map(({ value }) => value)
    const kept = await keys()
    await apart.sweep()
    // The writer ordered it and cannot carry it out.
    expect(await keys()).toEqual(kept)
    await apart.erase()
    expect(await keys()).not.toEqual(kept)
    expect((await client().read(record)).closed.map((item) => item.status)).toEqual(['erased'])
    await Promise.all([apart.sweep(), apart.audit(), apart.monitor()])
  })

  it('has no role that uses more than it needs', async () => {
    const { apart, client, counts } = await homeApart()
    await apart.sequence()
    const { record } = await createRecord(client(), HOME, ['general'])
    await client().append(record, [entry('one')])
    await apart.sequence()
    await client().read(record)
    await Promise.all([apart.erase(), apart.sweep(), apart.audit(), apart.monitor()])
    for (const [role, counted] of counts) {
      const needs = HOME_ROLES.find(({ name }) => name === role)?.needs ?? {
        tables: {},
        objects: {},
        keys: {},
      }
      const beyond = Object.keys(counted.counts()).filter((call) => !isNeeded(needs, call))
      expect({ role, beyond }).toEqual({ role, beyond: [] })
    }
  })

  it('signs nothing once its sequencer finds that its stores are older than what witnesses saw', async () => {
    const made = await olderCopy(['w1'], 1)
    const { base, world, policy } = made
    const hosting = { now: base.now, random: base.random, log: silentLog }
    const apart = await openApart(() => base, await configOf(base, world.home, policy), hosting)
    await apart.sequence().catch(() => {})
    const refused = await apart.fetch(new Request(new URL(`/v1/chains/${made.record}/head`, ORIGIN)))
    expect([refused.status, await refused.json()]).toMatchObject([500, { code: 'STORE_CORRUPT' }])
  })

  it('names its roles as they are', () => {
    expect(HOME_ROLES.map(({ name }) => name)).toEqual([...ROLE_NAMES])
  })
})

const ACCESS: Readonly<Record<string, readonly string[]>> = {
  get: ['read', 'append', 'write'],
  range: ['read', 'append', 'write'],
  insert: ['append', 'write'],
  swap: ['write'],
  fetch: ['fetch', 'store', 'shred'],
  store: ['store', 'shred'],
  shred: ['shred'],
  sign: ['sign'],
  unwrap: ['unwrap'],
}

function isNeeded(needs: Needs, call: string): boolean {
  const [port = '', name = '', method = ''] = call.split('.')
  const part = { table: needs.tables, objects: needs.objects, key: needs.keys }[port] ?? {}
  const access = (part as Readonly<Record<string, string>>)[name]
  return access !== undefined && (ACCESS[method] ?? []).includes(access)
}
