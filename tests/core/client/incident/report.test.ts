// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { canonicalBytes } from '#core/bytes/canonical-json.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asChainId, type ChainId } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { rotateIfDue } from '#core/client/acts/rotation/rotate-due.ts'
import { shareRecord, unshareRecord } from '#core/client/acts/share-record.ts'
import type { Connection } from '#core/client/connect.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { incidentReport, type IncidentReport } from '#core/client/incident/report.ts'
import type { TimeWindow } from '#core/client/incident/window.ts'
import { witnessedWorld, type WitnessedWorld } from '#tests/core/server/cosign/witnessed-world.ts'
import { collude, entry, forgery, HOME, revokedScene } from '#tests/e2e/revoked-scene.ts'

const HOUR_MS = 3_600_000
const ALWAYS: TimeWindow = { fromMs: null, toMs: null }
const SECRET = 'penicillin-4711'

const whatOf = ({ notKnown }: IncidentReport) => notKnown.map(({ what }) => what)

describe('the report on a stolen key of our own', () => {
  it('says of each block that it signed what receipts prove, as whoever has the export finds offline, and counts one that is dated back by when witnesses saw it', async () => {
    const { world, policy, clock } = await witnessedWorld(['w1', 'w2'], 1)
    const scene = await revokedScene(world, null, ['while the key was good'])
    await world.tendLog()
    clock.now += HOUR_MS
    const laterMs = clock.now
    // Dated back to its parent's time, an hour before.
    await collude(scene, await forgery(scene, { registry: scene.before }))
    await scene.a.append(scene.record, [entry('two')])
    await world.tendLog()
    clock.now += HOUR_MS
    const { kid } = scene.second
    const reader = world.connect('hospital-a', { policy })
    const report = await incidentReport(reader, [scene.record], { kind: 'kid', id: kid }, ALWAYS)
    const [found] = report.records
    const statuses = found?.record.written.map(({ height, status }) => [height, status])
    expect(statuses).toEqual([
      [3, 'witnessed'],
      [4, 'late'],
    ])
    const file = await exportRecord(world.connect('hospital-a'), scene.record)
    const offline = await verifyExport(file, { registry: world.registryId, policy })
    for (const { height, status, receipt } of found?.record.written ?? []) {
      expect(status).toBe(offline.log?.statuses[height])
      const { seenMs, ...proven } = offline.log?.receipts[height] ?? { seenMs: null }
      expect(receipt).toEqual({ ...proven, seen: seenMs === null ? null : toTimestamp(seenMs) })
    }
    const later = await incidentReport(
      reader,
      [scene.record],
      { kind: 'kid', id: kid },
      { fromMs: laterMs, toMs: null },
    )
    expect(later.records[0]?.record.written.map(({ height }) => height)).toEqual([4])
    expect(report.subject.keys).toEqual([
      {
        kid,
        instance: 'hospital-a-2',
        institution: 'hospital-a',
        revoked: { reason: 'compromised', suspectFrom: null, height: 1 },
      },
    ])
    expect(found?.record).toMatchObject({ isReader: true, isRotationDue: true })
    expect(whatOf(report)).not.toContain('times')
  })

  it('says that nobody judged times where no policy is pinned', async () => {
    const { world } = await witnessedWorld(['w1'], 1)
    const scene = await revokedScene(world, null, ['while the key was good'])
    const { kid } = scene.second
    const report = await incidentReport(
      world.connect('hospital-a'),
      [scene.record],
      { kind: 'kid', id: kid },
      ALWAYS,
    )
    expect(report.records[0]?.record.written).toMatchObject([
      { height: 3, status: 'promised', receipt: null },
    ])
    expect(whatOf(report)).toContain('times')
  })
})

describe('the report on a stolen key of another institution', () => {
  let made: WitnessedWorld
  let a: Connection
  let record: ChainId
  let other: ChainId
  let stolenMs: number

  /** hospital-b reads and writes one compartment, has its key stolen, and loses its grant a day later. */
  beforeAll(async () => {
    made = await witnessedWorld(['w1', 'w2'], 1, undefined, ['hospital-a', 'hospital-b', 'hospital-c'])
    const { world, policy, clock } = made
    a = world.connect('hospital-a', { policy })
    const { record: created, access } = await createRecord(a, HOME, ['general', 'mental-health'])
    record = created
    other = (await createRecord(a, HOME, ['general'])).record
    await a.append(record, [entry(SECRET), { ...entry(SECRET), compartment: 'mental-health' }])
    await a.append(record, [{ ...entry(SECRET), compartment: 'mental-health' }])
    clock.now += HOUR_MS
    const { id, second } = world.institution('hospital-b')
    await shareRecord(a, record, { institution: id, rights: ['append', 'read'], compartments: ['general'] })
    const b = world.connect('hospital-b', { signer: second })
    await b.append(record, [entry(SECRET)])
    const header = canonicalBytes({ v: 1, type: 'access' })
    const reading = (at: number, more: object) =>
      utf8(
        JSON.stringify({
          id: 'x',
          at: toTimestamp(at),
          user: 'ward-7',
          role: 'system',
          purpose: 'TREAT',
          what: `search Observation ${SECRET}`,
          resources: 2,
          ...more,
        }),
      )
    const contents = [reading(clock.now, {}), reading(clock.now + 1000, { resources: 3 }), utf8('no event')]
    await b.append(
      access,
      contents.map((content) => ({ header, content, compartment: 'access' })),
    )
    await world.tendLog()
    clock.now += HOUR_MS
    stolenMs = clock.now
    await b.append(record, [entry(SECRET)])
    await world.tendLog()
    clock.now += HOUR_MS
    const suspectFrom = toTimestamp(stolenMs)
    await world.change('hospital-b', [{ act: 'revoke', kid: second.kid, reason: 'compromised', suspectFrom }])
    await world.tendLog()
    await rotateIfDue(a, record)
    await a.append(record, [entry(SECRET)])
    clock.now += 20 * HOUR_MS
    await unshareRecord(a, record, id)
    await a.append(record, [entry(SECRET)])
    await world.tendLog()
  }, 60_000)

  const reportOn = (window = ALWAYS, kind: 'instance' | 'institution' = 'instance') =>
    incidentReport(
      a,
      [record, other, record],
      { kind, id: kind === 'instance' ? 'hospital-b-2' : 'hospital-b' },
      window,
    )

  it('names what it wrote, before and after it was stolen, in the record and its access chain', async () => {
    const report = await reportOn()
    expect([report.lookedAt, report.records.length]).toEqual([2, 1])
    const [found] = report.records
    expect(found?.record.written.map(({ status, entries }) => [status, entries])).toEqual([
      ['witnessed', 1],
      ['suspect', 1],
    ])
    expect(found?.access?.written.map(({ status }) => status)).toEqual(['witnessed'])
    expect(found?.record).toMatchObject({ isReader: false, isRotationDue: false })
  })

  it('says what it could open: which compartments and epochs, since when and until when, and no more', async () => {
    const [found] = (await reportOn()).records
    const notes = (await a.replica(record)).notes
    expect(found?.record.couldOpen).toMatchObject([
      {
        reader: 'hospital-b',
        compartments: [{ name: 'general' }],
        since: { height: 4 },
        ended: { height: 9, time: notes[9]?.time },
        grantEnds: null,
        epochs: { first: 1, last: 2 },
        // The block with only mental health and what came after the grant are not among them.
        blocks: 4,
        entriesAtMost: 5,
      },
    ])
    expect(found?.access?.couldOpen).toEqual([])
  })

  it('adds up the readings that it entered, and says how many entries tell nothing', async () => {
    const [found] = (await reportOn()).records
    expect(found?.readings).toMatchObject({
      by: [{ user: 'ward-7', role: 'system', purpose: 'TREAT', count: 2, resources: 5 }],
      unreadable: 1,
    })
  })

  it('keeps to a window: of blocks, of readings, and of what could be opened in it', async () => {
    const [late] = (await reportOn({ fromMs: stolenMs, toMs: null })).records
    expect(late?.record.written.map(({ status }) => status)).toEqual(['suspect'])
    expect(late?.readings?.by).toEqual([])
    expect(late?.record.couldOpen).toHaveLength(1)
    const before = await reportOn({ fromMs: null, toMs: made.clock.now - 1000 * HOUR_MS })
    expect(before.records).toEqual([])
    const after = await reportOn({ fromMs: made.clock.now + HOUR_MS, toMs: null })
    expect(after.records).toEqual([])
  })

  it('is about every key of an institution where that is asked', async () => {
    const report = await reportOn(ALWAYS, 'institution')
    expect(new Set(report.subject.keys.map(({ instance }) => instance))).toEqual(
      new Set(['hospital-b-1', 'hospital-b-2']),
    )
    expect(report.records).toHaveLength(1)
  })

  it('holds no contents and nothing of what was read, and says what is not known', async () => {
    const report = await reportOn()
    expect(JSON.stringify(report)).not.toContain(SECRET)
    expect(JSON.stringify(report)).not.toContain('Observation')
    expect(whatOf(report)).toEqual(['other-records', 'copies', 'unentered-readings', 'sealing-key'])
    const c = made.world.connect('hospital-b', { policy: made.policy })
    const without = await incidentReport(c, [record], { kind: 'instance', id: 'hospital-b-2' }, ALWAYS)
    expect(without.failed).toEqual([{ chain: record, code: 'NOT_FOUND' }])
    expect(whatOf(without)).toContain('failed')
  })

  it('lists a record that cannot be read, and reports the others', async () => {
    const unknown = asChainId('A'.repeat(43))
    const report = await incidentReport(
      a,
      [unknown, record],
      { kind: 'institution', id: 'hospital-b' },
      ALWAYS,
    )
    expect(report.failed).toEqual([{ chain: unknown, code: 'NOT_FOUND' }])
    expect(report.records).toHaveLength(1)
  })

  it('says nothing was touched by whoever had no part in it, and refuses whom the registry never had', async () => {
    const none = await incidentReport(a, [record], { kind: 'institution', id: 'hospital-c' }, ALWAYS)
    expect(none.records).toEqual([])
    const device = await incidentReport(a, [record], { kind: 'kid', id: 'D'.repeat(43) }, ALWAYS)
    expect([device.records, device.subject.keys[0]?.instance]).toEqual([[], null])
    await expect(
      incidentReport(a, [record], { kind: 'instance', id: 'hospital-z-1' }, ALWAYS),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
