// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { utf8 } from '#core/bytes/encoding.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { MAX_STANDING_MS } from '#core/server/standing/standing.ts'
import { auditChains, auditLog } from '#functions/auditor/operations.ts'
import { HOME_ROLES } from '#functions/roles.ts'
import { ROLE_NAMES } from '#functions/host/role-names.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { olderCopy } from '#tests/core/server/cosign/older-copy.ts'
import { appendAsJob, heightsOf, jobOf, PREFER, untilOver } from '#tests/core/server/job/jobs.ts'
import { HOME, MIB, offered, put, unsent } from '#tests/core/server/upload/uploads.ts'
import { ORIGIN, type TestDeployment } from '#tests/deployment.ts'
import { ask } from '#tests/http/ask.ts'
import { configOf, openApart } from '../apart.ts'
import { homeApart, isNeeded } from './home-apart.ts'

const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })
const AUDITS = [
  { operation: auditChains, asking: { path: { chain: 'all' } } },
  { operation: auditLog, asking: {} },
]

/** Uploads an object to a home, and tells as what. */
async function uploaded(world: TestDeployment, record: ChainId, object: Uint8Array): Promise<string> {
  const to = await offered(world, record, object)
  expect((await put(world, to, object)).ok).toBe(true)
  return to.upload
}

/** Puts other values into the key rows of a chain, in their order. */
async function putKeys(world: TestDeployment, record: ChainId, values: readonly Uint8Array[]): Promise<void> {
  const wraps = world.platform.table('wraps')
  for (const [i, { key, version }] of (await wraps.range(record)).entries())
    await wraps.swap(record, key, version, values[i] ?? null)
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
    expect(await (await get('/health/ready')).json()).toEqual({
      status: 'ready',
      log: 'ok',
      registry: 'home',
    })
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
    await apart.erase([])
    const erased = await keys()
    expect(erased).not.toEqual(kept)
    expect((await client().read(record)).closed.map((item) => item.status)).toEqual(['erased'])
    // What a store that went back shows again stays until the next schedule, whatever else is ordered.
    await putKeys(world, record, kept)
    await apart.erase([])
    expect(await keys()).toEqual(kept)
    await apart.erase('schedule')
    expect(await keys()).toEqual(erased)
    await Promise.all([apart.sweep(), apart.audit(), apart.monitor(), apart.work()])
  })

  it('has no role that uses more than it needs', async () => {
    const { world, apart, client, counts } = await homeApart()
    await apart.sequence()
    const { record } = await createRecord(client(), HOME, ['general'])
    await client().append(record, [entry('one')])
    await apart.sequence()
    await client().read(record)
    const here = { ...world, fetch: apart.fetch }
    const large = await unsent({ world: here, a: client(), record })
    await appendAsJob(here, large, await uploaded(here, record, large.object))
    for (const { operation, asking } of AUDITS) await ask(here, operation, { ...asking, headers: PREFER })
    await Promise.all([apart.erase('schedule'), apart.sweep(), apart.audit(), apart.monitor(), apart.work()])
    expect([...counts.keys()]).toEqual(expect.arrayContaining(['worker', 'writer', 'auditor']))
    expect(counts.get('worker')?.counts()).toMatchObject({ 'table.blocks.insert': 1 })
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

  it('begins jobs in one role, and does them in another when it is asked and when it is woken', async () => {
    const { world, apart, client } = await homeApart()
    await apart.sequence()
    const { record } = await createRecord(client(), HOME, ['general'])
    await apart.sequence()
    const here = { ...world, fetch: apart.fetch }
    const large = await unsent({ world: here, a: client(), record })
    const begun = await appendAsJob(here, large, await uploaded(here, record, large.object))
    expect([begun.status, await heightsOf(here, large)]).toEqual([202, []])
    await apart.work()
    expect(await heightsOf(here, large)).toEqual([2])
    expect(await untilOver(here, jobOf(begun))).toMatchObject({ kind: 'append', state: 'done' })
    for (const { operation, asking } of AUDITS) {
      const asked = await ask(here, operation, { ...asking, headers: PREFER })
      expect(asked.status).toBe(202)
      const { state, result } = await untilOver(here, jobOf(asked))
      expect({ state, result }).toMatchObject({ state: 'done', result: { findings: [] } })
    }
  })

  it('does no job while nobody told that it is not behind', async () => {
    const { world, apart, client } = await homeApart()
    await apart.sequence()
    const { record } = await createRecord(client(), HOME, ['general'])
    const here = { ...world, fetch: apart.fetch }
    const large = await unsent({ world: here, a: client(), record })
    await appendAsJob(here, large, await uploaded(here, record, large.object))
    world.clock.now += MAX_STANDING_MS + 1
    await apart.work()
    expect(await heightsOf(here, large)).toEqual([])
    await apart.sequence()
    // What was read lately is not read again within the second.
    world.clock.now += 1000
    await apart.work()
    expect(await heightsOf(here, large)).toEqual([2])
  })

  it('says how much passes, and that nothing can be uploaded where its platform takes nothing', async () => {
    const { world } = await homeApart()
    const { uploads: _, ...without } = world.platform
    const passing = { maxRequestBytes: 4 * MIB, maxAnswerBytes: 4 * MIB }
    const hosting = { now: () => world.clock.now, random: world.random, log: silentLog, ...passing }
    const apart = await openApart(() => without, await configOf(without, world.home), hosting)
    const said = await apart.fetch(new Request(new URL('/.well-known/ampere', ORIGIN)))
    expect(await said.json()).toMatchObject({ bodies: { ...passing, maxUploadBytes: null } })
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
