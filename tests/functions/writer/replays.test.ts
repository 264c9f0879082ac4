// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, it } from '@jest/globals'
import { withFaults } from '#adapters/around/faults.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { APPEND_TYPE, encodeAppend } from '#core/api/append.ts'
import { MAX_LOG_WAIT_MS } from '#core/api/limits.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { CHAIN_CHARACTERS } from '#core/server/store/attempt.ts'
import { homeApp } from '#functions/all.ts'
import { listen, type Listening } from '#functions/host/node.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { witnessedWorld } from '#tests/core/server/cosign/witnessed-world.ts'
import { ORIGIN, testDeployment } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

/** A witnessed home with a record, its calls and its requests to witnesses counted, and a block that somebody has. */
async function scene() {
  const holder: { faults?: ReturnType<typeof withFaults> } = {}
  const made = await witnessedWorld(['w1', 'w2'], 2, (base) => (holder.faults = withFaults(base)).platform)
  const { world, between } = made
  const asked: string[] = []
  for (const [origin, to] of between)
    between.set(origin, async (request) => {
      asked.push(origin)
      return to(request)
    })
  const a = world.connect('hospital-a')
  const { record } = await createRecord(a, HOME, ['general'])
  const append = (text: string) => a.append(record, [entry(text)])
  await append('one')
  const request = async (height: number, level: string, origin = ORIGIN, signal?: AbortSignal) => {
    const [block = ''] = (await a.api.blocks(record, height)).items
    const body = encodeAppend({ block, row: null, packages: [], labelKey: null, object: null })
    const init = { method: 'POST', headers: { 'content-type': APPEND_TYPE }, body }
    return new Request(`${origin}/v1/blocks?wait=${level}`, signal ? { ...init, signal } : init)
  }
  /** Sends a stored block again, without any credential. */
  const replay = async (height: number, level: string) => world.fetch(await request(height, level))
  return { ...made, asked, append, replay, request, faults: holder.faults }
}

describe('whoever sends an old block again, and waits', () => {
  it('is answered from what there is: no look at the log is begun, and no witness is asked', async () => {
    const { world, asked, append, replay, faults } = await scene()
    await world.tendLog()
    await append('not logged yet')
    asked.length = 0
    for (const level of ['logged', 'witnessed']) {
      faults?.plan(() => null)
      const answer = await replay(2, level)
      expect([answer.status, await answer.json()]).toMatchObject([
        201,
        { head: null, receipt: expect.any(String) },
      ])
      expect(faults?.calls().filter((call) => /dirty|insert|swap|store/.test(call))).toEqual([])
    }
    expect(asked).toEqual([])
  })

  it('causes a few requests to witnesses in all while the quorum is missing, however many they are', async () => {
    const { world, clock, between, asked, replay } = await scene()
    between.set('http://w1.test', async () => {
      asked.push('http://w1.test')
      return new Response('', { status: 503 })
    })
    await world.tendLog()
    asked.length = 0
    const startedMs = clock.now
    const answers = await Promise.all(Array.from({ length: 20 }, () => replay(2, 'witnessed')))
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202))
    expect(answers[0]?.headers.get('location')).toMatch(/^\/v1\/receipts\//)
    expect(clock.now - startedMs).toBeGreaterThanOrEqual(MAX_LOG_WAIT_MS)
    // Left alone for 1, 2, 4, 8, ... s, and the one that did cosign this checkpoint is not asked for it again.
    expect(asked.length).toBeLessThanOrEqual(8)
    expect(new Set(asked)).toEqual(new Set(['http://w1.test']))
  })

  it('shares looks at the log, and rounds of cosigning that begin a second apart', async () => {
    const { world, clock, replay, between, faults } = await scene()
    for (const origin of between.keys()) between.delete(origin)
    await world.tendLog()
    faults?.plan(() => null)
    const startedMs = clock.now
    await Promise.all(Array.from({ length: 8 }, () => replay(2, 'witnessed')))
    const seconds = (clock.now - startedMs) / 1000
    const calls = (name: string) => faults?.calls().filter((call) => call === name).length ?? Infinity
    // A round reads the published checkpoint, and now and then a look at the log does.
    expect(calls('table.checkpoints.get')).toBeLessThan(2 * seconds)
    // A look reads each shard of marks.
    expect(calls('table.dirty.range')).toBeLessThan(10 * CHAIN_CHARACTERS.length * seconds)
  })
})

describe('the order of an erasure that is sent again', () => {
  it('is carried out again only while this home has not stated that it is', async () => {
    const holder: { faults?: ReturnType<typeof withFaults> } = {}
    const world = await testDeployment(['hospital-a'], {
      platform: (base) => (holder.faults = withFaults(base)).platform,
    })
    const a = world.connect('hospital-a')
    const { record } = await createRecord(a, HOME, ['general'])
    const filed = await a.append(record, [entry('one')])
    const { instance, second } = world.institution('hospital-a')
    const what = { scope: 'entries', entries: filed, ground: 'misfiled' } as const
    const asked = await requestErasure(a, record, what, { instances: [instance, second] })
    world.clock.now += 73 * 3_600_000
    const { compact } = await settleErasure(a, record, asked.block.height, 'complete')
    const body = encodeAppend({ block: compact, row: null, packages: [], labelKey: null, object: null })
    const headers = { 'content-type': APPEND_TYPE }
    const rowsTouched = async () => {
      holder.faults?.plan(() => null)
      const answer = await world.fetch(new Request(`${ORIGIN}/v1/blocks`, { method: 'POST', headers, body }))
      expect(answer.status).toBe(201)
      return holder.faults?.calls().filter((call) => call.startsWith('table.wraps.')).length
    }
    expect(await rowsTouched()).toBe(0)
    const receipts = world.platform.table('receipts')
    const [stated] = await receipts.range(record)
    await receipts.swap(record, stated?.key ?? '', stated?.version ?? null, null)
    expect(await rowsTouched()).toBe(1)
    expect(await receipts.range(record)).toHaveLength(1)
  })
})

describe('a client that disconnects', () => {
  const servers: Listening[] = []
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close()
  })

  it('ends its waiting', async () => {
    const { world, policy, clock, between, request } = await scene()
    for (const origin of between.keys()) between.delete(origin)
    const paused: (() => void)[] = []
    const told: { paused: () => void } = { paused: () => {} }
    const firstPause = new Promise<void>((resolve) => (told.paused = resolve))
    const finished: { resolve: (status: number) => void } = { resolve: () => {} }
    const answered = new Promise<number>((resolve) => (finished.resolve = resolve))
    const hosting = { now: () => clock.now, random: world.random, log: silentLog }
    const { app } = await homeApp(world.platform, world.home, hosting, {
      policy,
      pause: () => {
        told.paused()
        return new Promise((resolve) => paused.push(resolve))
      },
    })
    const answer = async (incoming: Request) => {
      const response = await app.fetch(incoming)
      finished.resolve(response.status)
      return response
    }
    const server = await listen(answer, 0, false)
    servers.push(server)
    const gone = new AbortController()
    const sending = fetch(
      await request(2, 'witnessed', `http://127.0.0.1:${server.port}`, gone.signal),
    ).catch((error: unknown) => error)
    await firstPause
    gone.abort()
    // It waits in its pause still, which nothing ends: only that its client went can have ended it.
    expect(await answered).toBe(202)
    expect(await sending).toMatchObject({ name: 'AbortError' })
    for (const resume of paused) resume()
    expect(paused).toHaveLength(1)
  })
})
