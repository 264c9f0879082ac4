// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { countCalls } from '#adapters/around/counts.ts'
import { withFaults } from '#adapters/around/faults.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import type { Grant } from '#core/block/block.ts'
import { changeChain } from '#core/client/acts/change-chain.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import type { Connection } from '#core/client/connect.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { homeApp } from '#functions/all.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { ORIGIN, testDeployment, type TestDeployment } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

interface Limited {
  readonly world: TestDeployment
  readonly record: ChainId
  readonly counts: ReturnType<typeof countCalls>
  readonly faults: ReturnType<typeof withFaults>
  /** Every append that hospital-b sent, and the answer. */
  readonly sent: { readonly request: Request; readonly response: Response }[]
  readonly b: Connection
}

async function limited(limits: Grant['limits']): Promise<Limited> {
  const counted: { counts?: ReturnType<typeof countCalls>; faults?: ReturnType<typeof withFaults> } = {}
  const world = await testDeployment(['hospital-a', 'hospital-b'], {
    platform: (base) => {
      counted.faults = withFaults(base)
      counted.counts = countCalls(counted.faults.platform)
      return counted.counts.platform
    },
  })
  const a = world.connect('hospital-a')
  const { record } = await createRecord(a, HOME, ['general'])
  const compartments = (await a.replica(record)).link.state.compartments.map((item) => item.id)
  const institution = world.institution('hospital-b').id
  const rights: Grant['rights'] = ['append', 'read']
  await changeChain(a, record, { grant: [{ institution, rights, compartments, until: null, limits }] })
  const sent: Limited['sent'] = []
  const fetch: Fetch = async (request) => {
    const copy = request.clone()
    const response = await world.fetch(request)
    if (request.method === 'POST') sent.push({ request: copy, response: response.clone() })
    return response
  }
  const { counts, faults } = counted
  if (!counts || !faults) throw new Error('the platform was not wrapped')
  return { world, record, counts, faults, sent, b: world.connect('hospital-b', { fetch }) }
}

function spent(counts: Limited['counts']): Record<string, number> {
  return Object.fromEntries(
    Object.entries(counts.counts()).filter(([name]) => /insert|store|swap|sign/.test(name)),
  )
}

describe('an append beyond the limits of its grant', () => {
  it('is refused with 429 and the time to try again, before anything is stored', async () => {
    const { b, record, counts, sent, world } = await limited({ blocksPerDay: 2, bytesPerDay: 1e9 })
    world.clock.now = Date.parse('2026-11-01T23:54:50.000Z')
    await b.append(record, [entry('one')])
    await b.append(record, [entry('two')])
    counts.reset()
    await expect(b.append(record, [entry('three')])).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    expect(spent(counts)).toEqual({})
    const refusal = sent.at(-1)?.response
    expect(refusal?.status).toBe(429)
    expect({
      after: refusal?.headers.get('retry-after'),
      policy: refusal?.headers.get('ratelimit-policy'),
      limit: refusal?.headers.get('ratelimit'),
    }).toEqual({ after: '310', policy: '"grant";q=2;w=86400', limit: '"grant";r=0;t=310' })
    expect(await refusal?.json()).toMatchObject({ code: 'LIMIT_EXCEEDED', retryable: true })
    world.clock.now += 310_000
    await b.append(record, [entry('three')])
    expect((await world.connect('hospital-a').read(record)).opened).toHaveLength(3)
  })

  it('says bytes where bytes are what ran out', async () => {
    const { b, record, sent } = await limited({ blocksPerDay: 100, bytesPerDay: 6000 })
    await b.append(record, [entry('one')])
    await expect(b.append(record, [entry('two')])).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    expect(sent.at(-1)?.response.headers.get('ratelimit-policy')).toBe(
      '"grant-bytes";q=6000;qu="content-bytes";w=86400',
    )
  })

  it('that is stored already is answered all the same, and costs nothing', async () => {
    const { b, record, sent, world, counts } = await limited({ blocksPerDay: 1, bytesPerDay: 1e9 })
    await b.append(record, [entry('one')])
    const [stored] = sent
    if (!stored) throw new Error('an append was sent')
    counts.reset()
    const again = await world.fetch(stored.request)
    expect(again.status).toBe(201)
    expect(((await again.json()) as { block: string }).block).toBe(
      ((await stored.response.json()) as { block: string }).block,
    )
    expect(spent(counts)).toEqual({ 'key.head.sign': 1 })
    expect(counts.counts()).not.toHaveProperty('table.quotas.get')
  })

  it('is judged by law and freshness first', async () => {
    const { b, record, world } = await limited({ blocksPerDay: 1, bytesPerDay: 1e9 })
    await b.append(record, [entry('one')])
    const late = world.connect('hospital-b', {
      fetch: async (request) => {
        if (request.method === 'POST') world.clock.now += 300_000
        return world.fetch(request)
      },
    })
    await expect(late.append(record, [entry('two')])).rejects.toMatchObject({ code: 'CLOCK_SKEW' })
  })
})

describe('counting', () => {
  it('makes no storage call for a grant without limits', async () => {
    const { b, record, counts } = await limited(null)
    await b.append(record, [entry('one')])
    expect(Object.keys(counts.counts()).filter((name) => name.startsWith('table.quotas'))).toEqual([])
  })

  it('writes once for a hundred appends', async () => {
    const { b, record, counts } = await limited({ blocksPerDay: 20_000, bytesPerDay: 1e9 })
    counts.reset()
    for (let i = 0; i < 100; i++) await b.append(record, [entry(String(i))])
    expect(counts.counts()['table.quotas.swap']).toBe(1)
    await b.append(record, [entry('more')])
    expect(counts.counts()['table.quotas.swap']).toBe(2)
  })

  it('counts the bytes of an object once, however often its block has to be sent', async () => {
    const { b, record, faults, sent } = await limited({ blocksPerDay: 100, bytesPerDay: 6000 })
    const failed = { once: false }
    faults.plan((_, name) => {
      if (name !== 'table.blocks.insert' || failed.once) return null
      failed.once = true
      return 'not-applied'
    })
    await b.append(record, [entry('one')])
    expect(sent.map(({ response }) => response.status)).toEqual([503, 201])
  })

  it('holds over several processes whose writers race for one chain', async () => {
    const { world, record } = await limited({ blocksPerDay: 20, bytesPerDay: 1e9 })
    const hosting = { now: () => world.clock.now, random: world.random, log: silentLog }
    const writers = await Promise.all(
      [0, 1, 2].map(async () => {
        const { app } = await homeApp(world.platform, world.home, hosting)
        return world.connect('hospital-b', { fetch: async (request) => app.fetch(request) })
      }),
    )
    const outcomes = await Promise.all(
      writers.map(async (writer, w) => {
        const codes: string[] = []
        for (let i = 0; i < 21; i++) {
          codes.push(
            await writer.append(record, [entry(`${w}.${i}`)]).then(
              () => 'filed',
              (error: { code?: string }) => String(error.code),
            ),
          )
        }
        return codes
      }),
    )
    const codes = outcomes.flat()
    const filed = codes.filter((code) => code === 'filed').length
    expect(new Set(codes)).toEqual(new Set(['filed', 'LIMIT_EXCEEDED']))
    // Not more, and, because a lost race gives its block back, not less.
    expect(filed).toBe(20)
    expect((await world.connect('hospital-a').read(record)).opened).toHaveLength(filed)
  })
})
