// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { countCalls } from '#adapters/around/counts.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { select } from '#core/ports/needs.ts'
import { noteAudited } from '#core/server/audit/log/audit-log.ts'
import { OVERDUE_MS } from '#core/server/audit/log/blocks/compare-chain.ts'
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'
import { commitTree, emptyTree, publish } from '#core/server/sequence/tree.ts'
import { homeLogAudit } from '#functions/all.ts'
import { AUDIT_SLICE_MS } from '#functions/auditor/news.ts'
import type { LogFields } from '#functions/host/telemetry.ts'
import { testDeployment } from '#tests/deployment.ts'
import { insertPrepared, newChain } from '#tests/bench/worlds/prepared-chain.ts'
import { auditNow, growTo, logged, type Logged } from './logged.ts'

const CLEAN = { findings: [], unlisted: 0, earlier: 0 }

describe('the audit of a log that is in order', () => {
  let at: Logged
  let counts: ReturnType<typeof countCalls> | null = null
  beforeAll(async () => {
    at = await logged({ platform: (base) => (counts = countCalls(base)).platform })
  })

  it('finds nothing before anything was logged, or in an empty tree that was signed', async () => {
    expect((await auditNow(at)).report).toEqual({ ...CLEAN, size: 0, from: 0, blocks: 0 })
    const world = await testDeployment(['hospital-a'])
    const ports = await select(world.platform, SEQUENCER_NEEDS)
    const tree = await emptyTree(ports, world.home, toTimestamp(0))
    await commitTree(ports.tables.checkpoints, null, tree)
    await publish(ports.tables.checkpoints, tree)
    const { report } = await auditNow({ world, trust: world.logTrust })
    expect(report).toEqual({ ...CLEAN, size: 0, from: 0, blocks: 0 })
  })

  it('finds nothing at 1, 255, 256, 257 and 513 leaves, and since the last time reads only what is new', async () => {
    const checkpoints = (await select(at.world.platform, AUDITOR_NEEDS)).tables
    await at.sequencer.run()
    expect((await auditNow(at)).report).toEqual({ ...CLEAN, size: 1, from: 0, blocks: 1 })
    let chain = await newChain(at.world)
    let before = 0
    for (const size of [255, 256, 257, 513]) {
      chain = await growTo(at, chain, size, 64)
      expect((await auditNow(at)).report).toEqual({ ...CLEAN, size, from: 0, blocks: size })
      const news = await auditNow(at, { sinceLast: true })
      expect(news.report).toMatchObject({ ...CLEAN, size, from: before })
      await noteAudited({ tables: checkpoints }, news)
      before = size
    }
    counts?.reset()
    expect((await auditNow(at, { sinceLast: true })).report).toMatchObject({ ...CLEAN, from: 513 })
    expect(counts?.counts()['objects.log.fetch']).toBeLessThan(10)
  })

  it('says which block was not logged, once it should have been', async () => {
    const chain = await newChain(at.world)
    await at.sequencer.run()
    const { instance } = at.world.institution('hospital-a')
    await insertPrepared(at.world.platform.table('blocks'), chain, instance, 2)
    const { now } = at.world.clock
    at.world.clock.now = now + OVERDUE_MS
    expect((await auditNow(at)).report.findings).toEqual([])
    at.world.clock.now++
    expect((await auditNow(at)).report.findings).toMatchObject([
      { rule: 'overdue', status: 'missing', where: `block ${chain.chain}/2` },
    ])
    at.world.clock.now = now
  })
})

describe('an audit of what is new', () => {
  it('does not pass over a tree that does not continue the one that was audited, nor over a row that was changed', async () => {
    const at = await logged()
    let chain = await newChain(at.world)
    chain = await growTo(at, chain, 20, 20)
    const { tables } = await select(at.world.platform, AUDITOR_NEEDS)
    await noteAudited({ tables }, await auditNow(at, { sinceLast: true }))
    await growTo(at, chain, 30, 5)
    const row = 'checkpoints/audited/0000000000000020'
    const good = await at.stored.read(row)
    await at.stored.write(
      row,
      utf8(
        new TextDecoder()
          .decode(good ?? new Uint8Array(0))
          .replace(/"root":"(.)/, (_, first) => `"root":"${first === 'A' ? 'B' : 'A'}`),
      ),
    )
    const { report } = await auditNow(at, { sinceLast: true })
    expect(report).toMatchObject({ from: 0, blocks: 30, findings: [{ rule: 'audited-row', where: row }] })
    await at.stored.write(row, good)
    // Damage to what was audited is for the whole audit; damage to what is new is found at once.
    await at.stored.write('tile/entries/000.p/30', null)
    expect((await auditNow(at, { sinceLast: true })).report.findings).toMatchObject([
      { rule: 'bundle', where: 'tile/entries/000.p/30' },
    ])
  })

  it('is made on schedule, says what it did, and does not note a log that is damaged', async () => {
    const at = await logged()
    await growTo(at, await newChain(at.world), 8, 8)
    const lines: LogFields[] = []
    const { world, trust } = at
    const log = (line: LogFields) => void lines.push(line)
    const hosting = { now: () => world.clock.now, random: world.random, log }
    const audit = await homeLogAudit(world.platform, world.home, trust, hosting)
    const tile = await at.stored.read('tile/0/000.p/8')
    await at.stored.write('tile/0/000.p/8', null)
    expect(await audit()).toBe(1)
    await at.stored.write('tile/0/000.p/8', tile)
    expect([await audit(), await audit()]).toEqual([0, 0])
    expect(lines).toEqual([
      { event: 'log-damaged', role: 'auditor', code: 'STORE_CORRUPT', count: 1 },
      { event: 'log-audited', role: 'auditor', count: 8 },
      { event: 'log-audited', role: 'auditor', count: 0 },
    ])
  })

  it('is made on schedule in no more slices than a call may make, and the next call goes on', async () => {
    const at = await logged()
    await growTo(at, await newChain(at.world), 8, 8)
    const { world, trust } = at
    const events: string[] = []
    const hosting = {
      now: () => world.clock.now,
      random: world.random,
      log: ({ event }: LogFields) => void events.push(event),
    }
    // Each look at the clock takes as long as a slice may.
    let now = world.clock.now
    const slow = { ...world.platform, now: () => (now += AUDIT_SLICE_MS + 1) }
    const audit = await homeLogAudit(slow, world.home, trust, hosting, 1)
    await audit()
    expect(events).toEqual(['log-audit-pauses'])
    for (let i = 0; i < 20 && !events.includes('log-audited'); i++) await audit()
    expect(events.at(-1)).toBe('log-audited')
  })
})
