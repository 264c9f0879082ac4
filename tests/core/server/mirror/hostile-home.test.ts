// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import type { HeldAnswer } from '#core/api/answers.ts'
import { entomb, encodeKeyRow, parseKeyRow } from '#core/block/key-row.ts'
import { asBlockId, type ChainId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { shareRecord } from '#core/client/acts/share-record.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { readFailedRuns, readLastRun } from '#core/server/mirror/last-run.ts'
import { homeSource } from '#core/server/mirror/home-source.ts'
import { SLICE_BUNDLES } from '#core/server/copy/log-slice.ts'
import { logOriginOf } from '#core/api/log.ts'
import { signTree } from '#core/server/sequence/tree.ts'
import { ENDLESS, endlessLog } from '../copy/endless-log.ts'
import { rowKey } from '#core/server/store/rows.ts'
import { withAlarms } from '#cli/commands/deployment/alarms.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import type { LogFields } from '#functions/host/telemetry.ts'
import { byStandingClock, createMirroring } from '#functions/mirror/mirroring.ts'
import { testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { entry, HOME } from '../attempts.ts'
import { mirrorIn } from './mirror-in.ts'

let world: TestDeployment
const records: ChainId[] = []

const mirrorOf = (fetch: Fetch, seed: number) => mirrorIn(world, fetch, seed)

/** The home, but for what `answer` gives. */
const between =
  (answer: (url: URL) => Response | null | Promise<Response | null>): Fetch =>
  async (request) =>
    (await answer(new URL(request.url))) ?? world.fetch(request)

const chainOf = (number: number) => `${'A'.repeat(36)}${String(number).padStart(6, '0')}A`

beforeAll(async () => {
  world = await testDeployment(['hospital-a', 'mirror-m'])
  const a = world.connect('hospital-a')
  const { id } = world.institution('mirror-m')
  for (const text of ['one', 'two', 'three']) {
    const { record } = await createRecord(a, HOME, ['general'])
    await shareRecord(a, record, { institution: id, rights: ['hold'] })
    await a.append(record, [entry(text)])
    records.push(record)
  }
  await world.tendLog()
}, 30_000)

describe('a mirror of a home that answers without end', () => {
  it('ends its run at a number of chains, and goes on behind them with the next', async () => {
    let asked: (string | null)[] = []
    const heldFrom = (first: number) => ({
      items: Array.from({ length: 10 }, (_, i) => ({ chain: chainOf(first + i), height: 0 })),
      next: chainOf(first + 10),
    })
    const endless = between((url) => {
      if (url.pathname !== '/v1/held') return null
      const from = url.searchParams.get('from')
      asked.push(from)
      return Response.json(heldFrom(from === null ? 0 : Number(from.slice(36, 42))))
    })
    const mirror = await mirrorOf(endless, 61)
    expect(await mirror.run({ maxChains: 25 })).toMatchObject({ chains: 25, more: true })
    expect(asked).toEqual([null, chainOf(10), chainOf(20)])
    asked = []
    expect(await mirror.run({ maxPages: 2 })).toMatchObject({ chains: 19, more: true })
    expect(asked).toEqual([chainOf(24), chainOf(34)])
    expect(await readLastRun(mirror.copy)).toBeNull()
  })

  it('ends its run at a time, and finishes the round with those that follow', async () => {
    const slow = between((url) => {
      if (url.pathname.endsWith('/head')) world.clock.now += 20_000
      return null
    })
    const mirror = await mirrorOf(slow, 62)
    const begun = world.clock.now
    expect(await mirror.run({ maxMs: 50_000 })).toMatchObject({ more: true })
    let last = await readLastRun(mirror.copy)
    expect(last).toBeNull()
    for (let runs = 0; last === null; runs++) {
      expect(runs).toBeLessThan(60)
      await mirror.run({ maxMs: 50_000 })
      last = await readLastRun(mirror.copy)
    }
    expect(await mirror.chains()).toEqual((await heldItems(mirror)).map(({ chain }) => chain).toSorted())
    expect(last).toMatchObject({ chains: 6, problems: 0 })
    expect(Date.parse(last.time)).toBeGreaterThanOrEqual(begun)
  })

  it.each([
    ['chains', '/v1/held', { items: [], next: chainOf(5) }],
    ['witnessed checkpoints', '/log/witnessed', { items: [], next: 1 }],
  ])('refuses a list of %s whose next page is not behind it', async (_, path, page) => {
    let pages = 0
    const circular = between((url) => {
      if (!url.pathname.endsWith(path)) return null
      pages++
      return Response.json(page)
    })
    const mirror = await mirrorOf(circular, 63)
    await expect(mirror.run()).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' })
    expect(pages).toBeLessThan(3)
  })

  it('passes over a chain at which a run failed, so that those behind it are copied', async () => {
    let items: HeldAnswer['items'] = []
    const failing = between(async (url) => {
      const [first] = items
      if (first && url.pathname === `/v1/chains/${first.chain}/blocks`)
        return new Response(null, { status: 500 })
      return null
    })
    const mirror = await mirrorOf(failing, 64)
    items = await heldItems(mirror)
    await expect(mirror.run()).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' })
    await expect(mirror.run()).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' })
    const behind = items.slice(1).map(({ chain }) => chain)
    expect(await mirror.chains()).toEqual(expect.arrayContaining(behind.toSorted()))
  })

  it('asks for nothing any more after twice its time', async () => {
    const slow = between(() => {
      world.clock.now += 30_000
      return null
    })
    const mirror = await mirrorOf(slow, 65)
    const message = expect.stringContaining('longer than one run may')
    await expect(mirror.run({ maxMs: 45_000 })).rejects.toMatchObject({ code: 'UPSTREAM_FAILED', message })
  })

  it('ends with so much of a log that its home signed without end, and copies the chains all the same', async () => {
    const { root, file } = endlessLog()
    const keys = {
      log: await world.platform.signer('log'),
      'log-quantum': await world.platform.signer('log-quantum'),
    }
    const checkpoint = { origin: logOriginOf(HOME.origin), size: ENDLESS, root, extensions: [] }
    const note = await signTree({ keys }, checkpoint, Math.floor(world.clock.now / 1000))
    let bundles = 0
    const endless = between((url) => {
      if (url.pathname === '/log/checkpoint') return new Response(note)
      const bytes = url.pathname.startsWith('/log/tile/') ? file(url.pathname.slice('/log/'.length)) : null
      if (bytes && url.pathname.includes('/entries/')) bundles++
      return bytes && new Response(bytes.slice())
    })
    const mirror = await mirrorOf(endless, 69)
    for (let run = 1; run < 3; run++) {
      expect(await mirror.run({ maxSlices: 3 })).toMatchObject({ logSize: 0, chains: 6, more: true })
      expect(bundles).toBe(run * 3 * SLICE_BUNDLES)
    }
    expect(await readLastRun(mirror.copy)).toBeNull()
  })

  it('costs no other home its copy', async () => {
    let answer: (response: Response) => void = () => {}
    const silent = await mirrorOf(() => new Promise((resolve) => (answer = resolve)), 66)
    const honest = await mirrorOf(world.fetch, 67)
    const events: unknown[] = []
    let isHeard = () => {}
    const heard = new Promise<void>((resolve) => (isHeard = resolve))
    const mirroring = createMirroring([silent, honest], (fact) => {
      events.push(fact)
      isHeard()
    })
    const both = mirroring.run()
    await heard
    expect(events).toMatchObject([{ event: 'mirrored' }])
    answer(new Response(null, { status: 500 }))
    await both
    await mirroring.ended()
    expect(events).toContainEqual({ event: 'mirror-failed', role: 'mirror', code: 'UPSTREAM_FAILED' })
  })
})

describe('a mirror whose clock has just leapt', () => {
  it('does not begin a run, at whose end it would sign, and says why', async () => {
    const mirror = await mirrorOf(world.fetch, 68)
    const began = world.clock.now
    const events: string[] = []
    const clocks = { now: () => world.clock.now, elapsed: () => (world.clock.now - began) % 3_600_000 }
    const { run } = createMirroring(byStandingClock([mirror], clocks), ({ event, code }) => {
      events.push(code === undefined ? event : `${event} ${code}`)
    })
    await run()
    expect(events).toContain('mirrored')
    events.length = 0
    world.clock.now += 3_600_000
    await run()
    expect(events).toEqual(['mirror-failed CLOCK_SKEW'])
    world.clock.now -= 3_600_000
  })
})

/** What the home lists for the mirror. */
async function heldItems({
  ports,
  home,
}: Awaited<ReturnType<typeof mirrorOf>>): Promise<HeldAnswer['items']> {
  const { fetch, now, random, keys } = ports
  const deadline = () => new AbortController().signal
  return (await homeSource({ fetch, now, random, signer: keys.instance, deadline }, home.origin).chains(null))
    .items
}

describe('a mirror of a home that goes back', () => {
  it('says so once on the terminal, keeps since when and by which rule, and says once that it ended', async () => {
    const earlier = await (await world.fetch(new Request(`${HOME.origin}/log/checkpoint`))).text()
    const record = records.at(-1)
    if (!record) throw new Error('a record is expected')
    await world.connect('hospital-a').append(record, [entry('later')])
    await world.tendLog()
    let serves: () => Response | null = () => null
    const mirror = await mirrorOf(
      between((url) => (url.pathname === '/log/checkpoint' ? serves() : null)),
      69,
    )
    const [told, said]: [LogFields[], string[]] = [[], []]
    const log = withAlarms(
      (fields) => told.push(fields),
      (line) => said.push(line),
    )
    const mirroring = createMirroring([mirror], log)
    await mirroring.run()
    expect([await readFailedRuns(mirror.copy), said]).toEqual([null, []])
    serves = () => new Response(null, { status: 500 })
    const since = toTimestamp(world.clock.now)
    await mirroring.run()
    const unreached = { v: 1, since, time: since, code: 'UPSTREAM_FAILED', rule: null }
    expect([await readFailedRuns(mirror.copy), said]).toEqual([unreached, []])
    serves = () => new Response(earlier)
    for (let runs = 0; runs < 2; runs++) {
      world.clock.now += 60_000
      await mirroring.run()
      const [code, rule, time] = ['VERIFICATION_FAILED', 'log-rolled-back', toTimestamp(world.clock.now)]
      expect(await readFailedRuns(mirror.copy)).toEqual({ v: 1, since, time, code, rule })
      expect(told.at(-1)).toEqual({ event: 'mirror-failed', role: 'mirror', code, rule })
    }
    expect(said).toEqual([expect.stringMatching(/contradicts the copy.*Next: npx ampere mirror status$/)])
    serves = () => null
    await mirroring.run()
    expect(await readFailedRuns(mirror.copy)).toBeNull()
    expect(told.filter(({ event }) => event === 'mirror-failed-ended')).toHaveLength(1)
    expect(said).toEqual([expect.anything(), 'Every home that is mirrored here is copied again.'])
  })
})

describe('a mirror that is given tombstones which nobody ordered', () => {
  const rowIn = async (bytes: Promise<{ readonly value: Uint8Array } | null>) => {
    const row = await bytes
    return row && parseKeyRow(row.value).keys.map((key) => ('erased' in key ? 'erased' : 'wrapped'))
  }

  it('keeps none of them, says what is missing, and takes the keys once they come', async () => {
    const [record] = records
    if (!record) throw new Error('a record is expected')
    let isHostile = true
    const destroying = between(async (url) => {
      if (!isHostile || !url.pathname.startsWith(`/v1/chains/${record}/rows/`)) return null
      const name = url.pathname.split('/').at(-1) ?? ''
      const row = parseKeyRow(
        (await world.platform.table('wraps').get(record, name))?.value ?? new Uint8Array(),
      )
      return new Response(encodeKeyRow(entomb(row, [...row.keys.keys()], asBlockId('A'.repeat(43)))))
    })
    const mirror = await mirrorOf(destroying, 68)
    const { notes } = await world.connect('hospital-a').replica(record)
    const entries = notes.find((note) => note.entries !== null)?.entries
    if (!entries) throw new Error('entries are expected')
    const held = () => rowIn(mirror.copy.tables.wraps.get(record, rowKey(entries)))
    for (let runs = 0; runs < 2; runs++) {
      const { problems } = await mirror.run()
      expect(problems.map(({ what }) => what)).toEqual([expect.stringContaining('rule destroyed-key:')])
      expect(await held()).toBeNull()
    }
    isHostile = false
    expect(await mirror.run()).toMatchObject({ problems: [] })
    expect(await held()).toEqual(['wrapped'])
    isHostile = true
    expect(await mirror.run()).toMatchObject({ problems: [] })
    expect(await held()).toEqual(['wrapped'])
  })
})
