// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type { ChainId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { shareRecord } from '#core/client/acts/share-record.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { checkMirrored } from '#core/client/mirrored/check-mirrored.ts'
import { copyOf } from '#core/server/mirror/copy-of.ts'
import { readLastRun } from '#core/server/mirror/last-run.ts'
import { putBack, rowsOf } from '#tests/core/server/cosign/older-copy.ts'
import { entry } from '#tests/fault/each-call.ts'
import { describeOn } from '../aws/stack.ts'
import { cloudHomes, MIRROR, type CloudHome, type Homes } from './homes.ts'

const HOUR_MS = 3_600_000
const CLOUDS = ['aws', 'azure'] as const
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

/** The copy that one home has of the other. */
const copyAt = ({ platform }: CloudHome, { config }: CloudHome) => {
  const [tables, objects] = [
    (name: 'mirror' | 'mirror-keys') => platform.table(name),
    platform.objects('mirror'),
  ]
  const stores = {
    tables: { mirror: tables('mirror'), 'mirror-keys': tables('mirror-keys') },
    objects: { mirror: objects },
  }
  return copyOf(stores, config.deployment)
}

/** A record of a home, which the other home may hold, and which each of these entries was appended to. */
async function recordAt(home: CloudHome, ...entries: readonly string[]): Promise<ChainId> {
  const { connect, world, origin, roles, config } = home
  const connection = connect()
  const { record } = await createRecord(connection, { deployment: config.deployment, origin }, ['general'])
  await shareRecord(connection, record, { institution: world.institution(MIRROR).id, rights: ['hold'] })
  for (const each of entries) await connection.append(record, [entry(each)])
  await roles.sequence()
  return record
}

/** What an export of a record proves to a newcomer by a policy. */
async function exported({ connect, config }: CloudHome, record: ChainId, policy = config.policy) {
  const newcomer = connect()
  const file = await exportRecord(newcomer, record)
  if (!policy) throw new RangeError('a home without witnesses')
  return verifyExport(file, { registry: config.registry, policy, nowMs: newcomer.ports.now() })
}

/** What a role said went wrong. */
const troubles = ({ said }: CloudHome) =>
  said.filter(({ event, code }) => (code !== undefined && event !== 'problem') || event === 'log-damaged')

describeOn('MiniStack', 'a home on AWS and one on Azure', () => {
  const held: { homes?: Homes } = {}
  const both = (): Homes => {
    if (!held.homes) throw new Error('the homes are not there')
    return held.homes
  }
  const pair = (at: (typeof CLOUDS)[number]): readonly [CloudHome, CloudHome] => {
    const { aws, azure } = both()
    return at === 'aws' ? [aws, azure] : [azure, aws]
  }
  /** Every sequencer is called each minute; what roles read of it is kept for a second. */
  const tend = async () => {
    for (const at of CLOUDS) await both()[at].roles.sequence()
    both().elapse(1000)
  }
  /** After a while in which nobody was called, a witness is silent until its own home stands, and that asked this one's first. */
  const leap = async (ms: number) => {
    both().elapse(ms)
    await tend()
    for (const at of CLOUDS) both()[at].said.length = 0
  }
  beforeAll(async () => {
    held.homes = await cloudHomes()
    await leap(0)
  }, 120_000)
  afterAll(async () => held.homes?.close())

  it.each(CLOUDS)(
    'has what was written on %s witnessed and mirrored by the other, and verified',
    async (at) => {
      const [home, other] = pair(at)
      const record = await recordAt(home, 'one')
      await other.roles.mirror()
      expect(await readLastRun(copyAt(other, home))).toMatchObject({ problems: 0 })
      const newcomer = home.connect()
      const replica = await newcomer.replica(record)
      expect(await checkMirrored(newcomer, replica)).toMatchObject([
        { origin: other.origin, says: 'mirrored', height: replica.head.height },
      ])
      const report = await exported(home, record)
      expect(report.problems).toEqual([])
      expect(new Set(report.statuses)).toEqual(new Set(['witnessed']))
      expect(report.receipts).toBe(report.blocks)
      // The other home's policy says nothing of this one's log.
      expect((await exported(home, record, other.policy)).statuses).not.toContain('witnessed')
      expect(troubles(other)).toEqual([])
    },
  )

  it.each(CLOUDS)('has what was erased on %s erased in the copy, and audited and monitored', async (at) => {
    const [home, other] = pair(at)
    const record = await recordAt(home, 'one', 'two')
    await other.roles.mirror()
    const connection = home.connect()
    const { instance, second } = home.world.institution(home.hospital)
    const entries = (await connection.read(record)).opened.slice(0, 1)
    const keys = async () => (await copyAt(other, home).tables.wraps.range(record)).map(({ value }) => value)
    const kept = await keys()
    const what = { scope: 'entries', entries, ground: 'misfiled' } as const
    const { block } = await requestErasure(connection, record, what, { instances: [instance, second] })
    await tend()
    await leap(73 * HOUR_MS)
    await settleErasure(connection, record, block.height, 'complete')
    await home.roles.erase([])
    await tend()
    await other.roles.mirror()
    expect(await keys()).not.toEqual(kept)
    const view = await home.connect().read(record)
    expect(view.opened.map(({ content }) => text(content))).toEqual(['two'])
    expect(view.closed.map(({ status }) => status)).toEqual(['erased'])
    // Backups of it have not expired yet.
    const { problems, erasures, statuses } = await exported(home, record)
    expect([problems, new Set(statuses)]).toEqual([[], new Set(['witnessed', 'erasing'])])
    expect(JSON.stringify(erasures)).toContain(MIRROR)
    await home.roles.audit()
    await other.roles.monitor()
    const events = [...home.said, ...other.said].map(({ event }) => event)
    expect(events).toEqual(expect.arrayContaining(['log-audited', 'monitored', 'mirror-erased']))
    expect([troubles(home), troubles(other)]).toEqual([[], []])
  })

  it.each(CLOUDS)('refuses on %s what an instance writes that was revoked', async (at) => {
    const [home] = pair(at)
    const record = await recordAt(home, 'one')
    const { second, id } = home.world.institution(home.hospital)
    const writer = () => home.world.connect(id, { fetch: (request) => fetch(request), signer: second })
    await writer().append(record, [entry('two')])
    const revoked = { act: 'revoke', kid: second.kid, reason: 'retired', suspectFrom: null } as const
    await home.world.change(id, [revoked])
    await leap(60_000)
    await expect(writer().append(record, [entry('three')])).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    const { opened } = await home.connect().read(record)
    expect(opened.map(({ content }) => text(content))).toEqual(['one', 'two'])
  })

  it.each(CLOUDS)('signs nothing more on %s once the other shows that its stores are older', async (at) => {
    const [home, other] = pair(at)
    const record = await recordAt(home, 'in the copy')
    const copy = await rowsOf(home.platform, record)
    await home.connect().append(record, [entry('after it')])
    await home.roles.sequence()
    const newest = await rowsOf(home.platform, record)
    await putBack(home.platform, record, copy)
    const started = await home.openRoles()
    await started.sequence().catch(() => {})
    expect(home.said).toContainEqual(expect.objectContaining({ event: 'log-behind', code: 'STORE_CORRUPT' }))
    both().elapse(1000)
    const refused = await started.fetch(new Request(`${home.origin}/v1/chains/${record}/head`))
    expect([refused.status, await refused.json()]).toMatchObject([500, { code: 'STORE_CORRUPT' }])
    // The one that witnesses goes on.
    await other.roles.sequence()
    await putBack(home.platform, record, newest)
  })

  it.each(CLOUDS)('has no role on %s that asked for more than its permissions allow', (at) => {
    const { roles, refused } = both()[at].asked()
    expect(refused).toEqual([])
    expect(roles).toEqual(expect.arrayContaining(['sequencer', 'witness', 'mirror', 'monitor', 'eraser']))
  })
})
