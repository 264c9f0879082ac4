// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { createRecord } from '#core/client/acts/create-record.ts'
import { rotatorOf } from '#core/client/acts/rotation/rotate-due.ts'
import { shareRecord } from '#core/client/acts/share-record.ts'
import { ROUND_MS } from '#core/bridge/rotation/slice.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { AmpereError } from '#core/errors.ts'
import { entry, epochOf, HOME, hospital, removeInstitution, revokeInstance } from './hospital.ts'

describe('rotation follows', () => {
  it('does nothing while nothing is due', async () => {
    const at = await hospital()
    const chain = await at.record('p1', 'hospital-b')
    const { rotation, run } = at.open()
    expect((await rotation.status()).state).toBe('never-ran')
    expect(await run()).toBe('done')
    expect(await run()).toBe('idle')
    expect(await epochOf(at, chain)).toBe(1)
    expect(await rotation.status()).toMatchObject({ state: 'done', open: [], row: { looked: 1, rotated: 0 } })
  })

  it('gives each record of a reader whose app instance was revoked new keys, once, and no other', async () => {
    const at = await hospital()
    const one = await at.record('p1', 'hospital-b')
    const other = await at.record('p2', 'hospital-c')
    await revokeInstance(at.world, 'hospital-b')
    const { rotation, run, connection } = at.open()
    expect(await rotation.estimate()).toMatchObject({
      records: 2,
      due: [{ chain: one, readers: ['hospital-b'] }],
      blocks: 1,
      open: [],
      msPerChain: null,
    })
    expect(await run()).toBe('done')
    expect([await epochOf(at, one), await epochOf(at, other)]).toEqual([2, 1])
    // Who reads stays the same: only keys changed.
    const { grants } = (await connection.replica(one)).link.state
    expect(grants.map(({ institution }) => String(institution))).toEqual(['hospital-a', 'hospital-b'])
    at.world.clock.now += ROUND_MS
    expect(await run()).toBe('done')
    expect(await epochOf(at, one)).toBe(2)
    expect((await rotation.estimate()).due).toEqual([])
  })

  it('follows a revocation of its own app instance on every record and access chain', async () => {
    const at = await hospital()
    const chain = await at.record('p1')
    await revokeInstance(at.world, 'hospital-a')
    const { rotation, run, connection } = at.open()
    expect((await rotation.estimate()).blocks).toBe(2)
    expect(await run()).toBe('done')
    const { access, epoch } = (await connection.replica(chain)).link.state
    if (access === null) throw new Error('there is no access chain')
    expect([epoch.number, (await connection.replica(access)).link.state.epoch.number]).toEqual([2, 2])
  })

  it('does not follow a revocation that came before the reader had any keys', async () => {
    const at = await hospital()
    const chain = await at.record('p1')
    await revokeInstance(at.world, 'hospital-b')
    const { rotation, connection } = at.open()
    await shareRecord(connection, chain, {
      institution: at.world.institution('hospital-b').id,
      rights: ['read'],
    })
    expect((await rotation.estimate()).due).toEqual([])
  })

  it('drops an institution that the registry removed, which opens nothing that is sealed afterwards', async () => {
    const at = await hospital()
    const chain = await at.record('p1', 'hospital-b', 'hospital-c')
    const { run, connection } = at.open()
    await connection.append(chain, [entry('before')])
    await removeInstitution(at.world, 'hospital-b')
    expect(await run()).toBe('done')
    await connection.append(chain, [entry('after')])
    const { grants } = (await connection.replica(chain)).link.state
    expect(grants.map(({ institution }) => String(institution))).toEqual(['hospital-a', 'hospital-c'])
    const { opened } = await at.world.connect('hospital-c').read(chain)
    expect(opened.map(({ content }) => new TextDecoder().decode(content))).toEqual(['before', 'after'])
  })

  it('drops a grant that has ended within the hour, though nothing was revoked', async () => {
    const at = await hospital()
    const chain = await at.record('p1')
    const { run, connection } = at.open()
    const until = toTimestamp(at.world.clock.now + ROUND_MS)
    const institution = at.world.institution('hospital-b').id
    await shareRecord(connection, chain, { institution, rights: ['read'], until })
    expect(await run()).toBe('done')
    at.world.clock.now += ROUND_MS
    expect(await run()).toBe('done')
    const { grants } = (await connection.replica(chain)).link.state
    expect(grants.map((grant) => String(grant.institution))).toEqual(['hospital-a'])
  })

  it('takes no more than its share of a minute, and goes on in the next', async () => {
    const at = await hospital()
    for (const name of ['p1', 'p2', 'p3', 'p4', 'p5']) await at.record(name, 'hospital-b')
    await revokeInstance(at.world, 'hospital-b')
    const { rotation, run } = at.open()
    await rotation.resume(2)
    expect((await rotation.estimate()).atLeastMs).toBe(120_000)
    const rotated: number[] = []
    for (const outcome of ['limit', 'limit', 'done']) {
      expect(await run()).toBe(outcome)
      if (outcome === 'limit') expect(await run()).toBe('limit')
      rotated.push((await rotation.status()).row.rotated)
      at.world.clock.now += 60_000
    }
    expect(rotated).toEqual([2, 4, 5])
  })

  it('stops when time is up, and another process goes on where it ended', async () => {
    const at = await hospital()
    const chains = [await at.record('p1', 'hospital-b'), await at.record('p2', 'hospital-b')]
    await revokeInstance(at.world, 'hospital-b')
    expect((await at.open().rotation.slice(at.world.clock.now)).outcome).toBe('time')
    const { rotation, run } = at.open()
    expect((await rotation.status()).state).toBe('running')
    expect(await run()).toBe('done')
    expect(await Promise.all(chains.map((chain) => epochOf(at, chain)))).toEqual([2, 2])
    expect((await rotation.status()).row).toMatchObject({ looked: 2, rotated: 2 })
  })

  it('rests while it is paused, in every process, and goes on when it is resumed', async () => {
    const at = await hospital()
    const chain = await at.record('p1', 'hospital-b')
    await revokeInstance(at.world, 'hospital-b')
    const [one, two] = [at.open(), at.open()]
    await one.rotation.pause()
    expect([await one.run(), await two.run()]).toEqual(['paused', 'paused'])
    expect((await two.rotation.status()).state).toBe('paused')
    expect(await epochOf(at, chain)).toBe(1)
    await two.rotation.resume()
    expect(await one.run()).toBe('done')
    expect(await epochOf(at, chain)).toBe(2)
  })

  it('is stopped by a pause in the middle of a slice', async () => {
    const at = await hospital()
    for (const name of ['p1', 'p2', 'p3']) await at.record(name, 'hospital-b')
    await revokeInstance(at.world, 'hospital-b')
    const { rotation } = at.open()
    const connection = at.world.connect('hospital-a', {
      fetch: async (request) => {
        if (request.method === 'POST') await rotation.pause()
        return at.world.fetch(request)
      },
    })
    expect(await at.open(connection).run()).toBe('busy')
    expect((await rotation.estimate()).due).toHaveLength(2)
  })

  it('begins anew where something is revoked while a round goes on', async () => {
    const at = await hospital()
    const chains = [await at.record('p1', 'hospital-c'), await at.record('p2', 'hospital-c')]
    const { rotation, run } = at.open()
    expect((await rotation.slice(at.world.clock.now)).outcome).toBe('time')
    await revokeInstance(at.world, 'hospital-c')
    expect(await run()).toBe('done')
    expect(await Promise.all(chains.map((chain) => epochOf(at, chain)))).toEqual([2, 2])
  })

  it('is harmless when several processes do it at once, without a turn', async () => {
    const at = await hospital()
    const chains = [await at.record('p1', 'hospital-b'), await at.record('p2', 'hospital-b')]
    await revokeInstance(at.world, 'hospital-b')
    const rivals = [1, 2, 3].map(() => rotatorOf(at.world.connect('hospital-a')))
    const outcomes = await Promise.all(
      rivals.flatMap(({ rotate }) => chains.map(async (chain) => rotate(chain))),
    )
    expect(outcomes.filter(Boolean)).toHaveLength(2)
    expect(await Promise.all(chains.map((chain) => epochOf(at, chain)))).toEqual([2, 2])
  })

  it('leaves the work to whoever has the turn, and takes it over from one that died', async () => {
    const at = await hospital()
    const chain = await at.record('p1', 'hospital-b')
    await revokeInstance(at.world, 'hospital-b')
    let swaps = 0
    const dying: typeof at.table = {
      ...at.table,
      swap: async (...row) => {
        // It took the turn, and ended before it could keep anything.
        if (++swaps > 1) throw new AmpereError('STORE_UNAVAILABLE', 'the process was killed')
        return at.table.swap(...row)
      },
    }
    await expect(at.open(at.world.connect('hospital-a'), dying).run()).rejects.toThrow('was killed')
    const { run } = at.open()
    expect(await run()).toBe('busy')
    at.world.clock.now += 120_000
    expect(await run()).toBe('done')
    expect(await epochOf(at, chain)).toBe(2)
  })
})

describe('a record that cannot be rotated', () => {
  it('is listed with the reason, is tried again, and does not hold up the others', async () => {
    const at = await hospital()
    const [bad, good] = [await at.record('p1', 'hospital-b'), await at.record('p2', 'hospital-b')]
    await revokeInstance(at.world, 'hospital-b')
    const refusing = { is: true, asked: 0 }
    const connection = at.world.connect('hospital-a', {
      fetch: async (request) => {
        const { pathname } = new URL(request.url)
        if (pathname.includes(good)) refusing.asked++
        return refusing.is && pathname.includes(bad)
          ? new Response('no', { status: 500 })
          : at.world.fetch(request)
      },
    })
    const { rotation, run } = at.open(connection)
    expect(await run()).toBe('done')
    expect((await rotation.status()).open).toEqual([
      { chain: bad, why: 'unreachable', code: 'UPSTREAM_FAILED', readers: [], sinceMs: at.world.clock.now },
    ])
    expect(await Promise.all([bad, good].map((chain) => epochOf(at, chain)))).toEqual([1, 2])
    refusing.is = false
    expect(await run()).toBe('idle')
    at.world.clock.now += 300_000
    const { asked } = refusing
    expect(await run()).toBe('done')
    expect((await rotation.status()).open).toEqual([])
    expect(await epochOf(at, bad)).toBe(2)
    // Only that one was looked at again.
    expect(refusing.asked).toBe(asked)
  })

  it('is one that another institution controls', async () => {
    const at = await hospital()
    const b = at.world.connect('hospital-b')
    const { record } = await createRecord(b, HOME, ['general'])
    for (const name of ['hospital-a', 'hospital-c'])
      await shareRecord(b, record, { institution: at.world.institution(name).id, rights: ['read'] })
    const { rotation, run, patients } = at.open()
    await patients.link('p9', record)
    await revokeInstance(at.world, 'hospital-c')
    expect(await run()).toBe('done')
    expect((await rotation.status()).open).toMatchObject([
      { chain: record, why: 'not-controlled', code: '', readers: ['hospital-c'] },
    ])
    expect((await rotation.status()).row.open).toBe(0)
    expect((await rotation.estimate()).open).toMatchObject([{ why: 'not-controlled' }])
    // It waits for another, so that it is looked at again with all others only.
    at.world.clock.now += 300_000
    expect(await run()).toBe('idle')
    expect(await epochOf(at, record)).toBe(1)
  })

  it('is one that this institution has no part in any more', async () => {
    const at = await hospital()
    const b = at.world.connect('hospital-b')
    const { record } = await createRecord(b, HOME, ['general'])
    const { rotation, run, patients } = at.open()
    await patients.link('p9', record)
    expect(await run()).toBe('done')
    expect((await rotation.status()).open).toMatchObject([{ why: 'not-found', code: 'NOT_FOUND' }])
  })
})
