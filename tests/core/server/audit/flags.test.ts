// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { fromUtf8, toBase64url, utf8 } from '#core/bytes/encoding.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import type { Grant } from '#core/block/block.ts'
import { encodeKeyRow, parseKeyRow } from '#core/block/key-row.ts'
import { parseBlock } from '#core/block/open-block.ts'
import { changeChain, rotateChain } from '#core/client/acts/change-chain.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { erasureJob, JOBS_ERASE } from '#core/server/store/jobs.ts'
import { erasedRow, heightKey, objectName } from '#core/server/store/rows.ts'
import {
  attempts,
  auditNow,
  DAY_MS,
  entry,
  failCommits,
  HOME,
  mend,
  restoring,
  signAgain,
  type Attempts,
} from '../attempts.ts'
import { audited, entriesAt, erase, put, type Audited } from './audited.ts'

let at: Audited
beforeAll(async () => {
  at = await audited()
})

/** What is flagged of a chain, by flag. */
async function flagsOf({ world }: Attempts, chain: ChainId): Promise<string[]> {
  const { findings, flags } = await auditNow(world)
  expect(findings).toEqual([])
  return flags.filter((item) => item.chain === chain).map(({ flag, detail }) => `${flag}: ${detail}`)
}

function grantOf(of: Attempts, compartments: Grant['compartments'], more: Partial<Grant> = {}): Grant {
  const institution = of.world.institution('hospital-b').id
  return { institution, rights: ['read'], compartments, until: null, limits: null, ...more }
}

async function idsOf({ a }: Attempts, chain: ChainId): Promise<Grant['compartments']> {
  return (await a.replica(chain)).link.state.compartments.map((item) => item.id)
}

describe('an erasure', () => {
  it('that the home has not stated is said to wait, since when it was ordered', async () => {
    await restoring(at, async () => {
      await put(at.world, 'receipts', at.record, erasedRow(at.heights.erased, null), () => null)
      const { findings, flags } = await auditNow(at.world)
      expect(findings).toEqual([])
      const block = await at.world.platform.table('blocks').get(at.record, heightKey(at.heights.erased))
      expect(block).not.toBeNull()
      expect(flags).toMatchObject([{ chain: at.record, height: at.heights.erased, flag: 'erasure-waits' }])
      expect(Date.parse(flags[0]?.since ?? '')).toBeLessThan(at.world.clock.now)
    })
  })

  it('that waits is no damage, whatever of it was done already', async () => {
    await restoring(at, async () => {
      await at.store.load({ ...at.before, rows: [...at.before.rows, ...(await orders(at))] })
      const { findings, flags } = await auditNow(at.world)
      expect(findings).toEqual([])
      expect(flags.map(({ flag }) => flag)).toEqual(['erasure-waits', 'erasure-waits'])
    })
  })
})

describe('an object that was erased', () => {
  it('is refused with the keys that were erased, which nothing brings back', async () => {
    await restoring(at, async (fresh) => {
      const { root } = await entriesAt(at, at.record, at.heights.whole)
      const append = at.sent.find((item) => parseBlock(item.block).block.entries?.root === root)
      if (!append) throw new Error('it was sent')
      await expect(fresh.a.submit(await signAgain(fresh, append))).rejects.toMatchObject({
        code: 'BLOCK_REFUSED',
        message: 'append: keys of these entries were erased; seal them anew',
      })
      expect((await auditNow(at.world)).findings).toEqual([])
    })
  })

  it('may be stored again for a block that names it with other keys', async () => {
    await restoring(at, async (fresh) => {
      const { root } = await entriesAt(at, at.record, at.heights.whole)
      const append = at.sent.find((item) => parseBlock(item.block).block.entries?.root === root)
      if (!append?.row) throw new Error('it was sent')
      const row = parseKeyRow(utf8(append.row))
      const keys = row.keys.map(() => ({ wrapped: toBase64url(at.world.random(40)) }))
      const again = await signAgain(fresh, { ...append, row: fromUtf8(encodeKeyRow({ ...row, keys })) })
      await fresh.a.submit(again)
      const object = objectName(at.record, root)
      expect(await at.world.platform.objects('entries').fetch(object)).not.toBeNull()
      expect((await auditNow(at.world)).findings).toEqual([])
    })
  })
})

/** The blocks, states and jobs of the erasures, without anything that was done for them. */
async function orders(of: Audited) {
  const { rows } = await of.store.save()
  const there = new Set(of.before.rows.map(({ table, partition, key }) => `${table} ${partition} ${key}`))
  return rows.filter(
    ({ table, partition, key }) =>
      ['blocks', 'states', 'jobs'].includes(table) && !there.has(`${table} ${partition} ${key}`),
  )
}

describe('what no block names', () => {
  it('is listed with the last attempt that named it, or with none', async () => {
    const of = await attempts()
    failCommits(of)
    await expect(of.a.append(of.record, [entry('lost')])).rejects.toBeDefined()
    of.world.clock.now += DAY_MS
    await expect(rotateChain(of.a, of.record)).rejects.toBeDefined()
    await expect(createRecord(of.a, HOME, ['general'])).rejects.toBeDefined()
    mend(of)
    for (const table of ['wraps', 'labels', 'states'] as const)
      await of.world.platform.table(table).insert(of.record, 'stray', utf8('x'))
    await of.world.platform.table('packages').insert(of.record, 'stray/1', utf8('x'))
    await of.world.platform.table('jobs').insert(JOBS_ERASE, erasureJob(of.record, 77), utf8('x'))
    const { findings, flags } = await auditNow(of.world)
    expect(findings).toEqual([])
    const said = flags.map(({ chain, flag, detail, since }) => {
      const what = detail.replace(/: .*/, '')
      return [chain === of.record ? 'record' : 'other', flag, what, since && Date.parse(since)].join()
    })
    const today = of.world.clock.now
    const expected = [
      ['record', 'an erasure job without its block', null],
      ['record', 'wraps', today - DAY_MS],
      ['record', 'wraps', null],
      ['record', 'packages', today],
      ['record', 'packages', today],
      ['record', 'packages', null],
      ['record', 'labels', today],
      ['record', 'labels', null],
      ['record', 'states', today],
      ['record', 'states', null],
      ['other', 'labels', today],
      ['other', 'states', today],
      ['other', 'the chain is listed and has no block', null],
    ].map(([chain, what, since]) => [chain, 'unreferenced', what, since].join())
    expect(said.toSorted()).toEqual(expected.toSorted())
  })
})

describe('record and access chain', () => {
  it('that say the same are not flagged, though their rights differ by nature', async () => {
    expect(await flagsOf(at, at.record)).toEqual([])
    expect(await flagsOf(at, at.access)).toEqual([])
  })

  it('diverge when a reader is granted or removed on one of them only', async () => {
    await restoring(at, async (fresh) => {
      await changeChain(fresh.a, at.record, { revoke: [at.world.institution('hospital-b').id] })
      expect(await flagsOf(at, at.record)).toEqual([
        'diverged: record and access chain differ in the grant of hospital-b',
      ])
      await changeChain(fresh.a, at.access, { revoke: [at.world.institution('hospital-b').id] })
      expect(await flagsOf(at, at.record)).toEqual([])
      await changeChain(fresh.a, at.record, { grant: [grantOf(fresh, await idsOf(fresh, at.record))] })
      expect(await flagsOf(at, at.record)).toEqual([
        'diverged: record and access chain differ in the grant of hospital-b',
      ])
    })
  })

  it('diverge when a grant ends at another time', async () => {
    await restoring(at, async (fresh) => {
      const until = toTimestamp(at.world.clock.now + DAY_MS)
      const grant = grantOf(fresh, await idsOf(fresh, at.record), { until })
      await changeChain(fresh.a, at.record, { grant: [grant] })
      expect(await flagsOf(at, at.record)).toEqual([
        'diverged: record and access chain differ in the grant of hospital-b',
      ])
    })
  })

  it('diverge when a reader of both was removed from the record alone and is there again', async () => {
    await restoring(at, async (fresh) => {
      const [record, access] = [await idsOf(fresh, at.record), await idsOf(fresh, at.access)]
      const { id } = at.world.institution('hospital-b')
      await changeChain(fresh.a, at.access, { grant: [grantOf(fresh, access)] })
      await changeChain(fresh.a, at.record, { revoke: [id] })
      at.world.clock.now += 1000
      await changeChain(fresh.a, at.record, { grant: [grantOf(fresh, record)] })
      expect(await flagsOf(at, at.record)).toEqual([
        'diverged: hospital-b was removed from the record without a new epoch of the access chain',
      ])
      at.world.clock.now += 1000
      await rotateChain(fresh.a, at.access)
      expect(await flagsOf(at, at.record)).toEqual([])
    })
  })

  it('diverge when they have other controllers', async () => {
    await restoring(at, async (fresh) => {
      const members = ['hospital-a', 'hospital-b'].map((name) => ({
        kind: 'institution' as const,
        institution: at.world.institution(name).id,
      }))
      await changeChain(fresh.a, at.record, { controllers: { threshold: 1, members } })
      expect(await flagsOf(at, at.record)).toEqual([
        'diverged: record and access chain have other controllers',
      ])
    })
  })

  it('diverge when one does not name the other', async () => {
    const of = await attempts()
    failCommits(of)
    const commits = { left: 3 }
    of.around.current = async (name, act) => {
      // The record's first control, which names the access chain, never commits.
      if (name === 'table.blocks.insert' && commits.left-- <= 0) throw new Error('stopped')
      return act()
    }
    await expect(createRecord(of.a, HOME, ['general'])).rejects.toBeDefined()
    mend(of)
    const { flags } = await auditNow(of.world)
    expect(flags.filter(({ flag }) => flag === 'diverged').map(({ detail }) => detail)).toEqual([
      'its record does not name it as its access chain',
    ])
  })
})

describe('a rotation', () => {
  it('is due when the grant of a reader has ended, until it is taken away', async () => {
    const of = await attempts()
    const until = toTimestamp(of.world.clock.now + DAY_MS)
    const ids = await idsOf(of, of.record)
    await changeChain(of.a, of.record, { grant: [grantOf(of, ids, { until })] })
    const due = async () => (await flagsOf(of, of.record)).filter((text) => text.startsWith('rotation-due'))
    expect(await due()).toEqual([])
    of.world.clock.now += DAY_MS
    expect(await due()).toEqual(['rotation-due: the grant of hospital-b has ended and it is still a reader'])
    await changeChain(of.a, of.record, { revoke: [of.world.institution('hospital-b').id] })
    expect(await due()).toEqual([])
    await changeChain(of.a, of.record, {
      grant: [grantOf(of, ids, { rights: ['append'], until: toTimestamp(of.world.clock.now + DAY_MS) })],
    })
    of.world.clock.now += 2 * DAY_MS
    expect(await due()).toEqual([])
  })

  it('is due when a reader is no longer whitelisted, until it is dropped', async () => {
    const of = await attempts()
    await changeChain(of.a, of.record, { grant: [grantOf(of, await idsOf(of, of.record))] })
    const { id } = of.world.institution('hospital-b')
    await of.world.change('hospital-a', [{ act: 'remove', institution: id }], ['hospital-a'])
    const due = async () => (await flagsOf(of, of.record)).filter((text) => text.startsWith('rotation-due'))
    expect(await due()).toEqual(['rotation-due: hospital-b is no longer whitelisted and is still a reader'])
    await rotateChain(of.a, of.record)
    expect(await due()).toEqual([])
  })

  it('is never due for a record that was erased', async () => {
    const of = await attempts()
    const until = toTimestamp(of.world.clock.now + DAY_MS)
    await changeChain(of.a, of.record, { grant: [grantOf(of, await idsOf(of, of.record), { until })] })
    await erase(of, of.record, { scope: 'record', entries: [], ground: 'legal-duty' })
    of.world.clock.now += 9 * DAY_MS
    expect((await flagsOf(of, of.record)).filter((text) => text.startsWith('rotation-due'))).toEqual([])
  })
})
