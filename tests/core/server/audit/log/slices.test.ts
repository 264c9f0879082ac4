// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { utf8 } from '#core/bytes/encoding.ts'
import { select } from '#core/ports/needs.ts'
import { auditSlice, type SlicedAudit } from '#core/server/audit/log/run/sliced-audit.ts'
import type { LogReport } from '#core/server/audit/log/report.ts'
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'
import { auditLogNews } from '#functions/auditor/news.ts'
import type { LogFields } from '#functions/host/telemetry.ts'
import { newChain } from '#tests/bench/worlds/prepared-chain.ts'
import { auditNow, growTo, logged, type Logged } from './logged.ts'

const FULL = 'tile/entries/000'

describe('an audit of the log in slices', () => {
  let at: Logged
  let rows: readonly string[]
  beforeAll(async () => {
    at = await logged()
    const first = await growTo(at, await newChain(at.world), 200, 90)
    await growTo(at, await newChain(at.world), 400, 90)
    await growTo(at, first, 530, 90)
    rows = at.stored.names().filter((name) => name.startsWith('leaves/'))
  })

  /** One slice; with `steps` chains or bundles it pauses. */
  async function slice(cursor: string | null, steps = 1, sinceLast = false): Promise<SlicedAudit> {
    let left = steps
    const ports = await select(at.world.platform, AUDITOR_NEEDS)
    return auditSlice(ports, at.world.home, at.trust, { cursor, sinceLast, pause: () => --left <= 0 })
  }

  async function sliced(steps = 1, sinceLast = false): Promise<{ report: LogReport; slices: number }> {
    let slices = 1
    for (let part = await slice(null, steps, sinceLast); ; slices++) {
      if (part.next === null) return { report: part.audit.report, slices }
      part = await slice(part.next, steps)
    }
  }

  const kept = async () => at.world.platform.table('audits').range('log', {})
  const sorted = ({ findings, ...report }: LogReport) => ({
    ...report,
    findings: findings.map((finding) => JSON.stringify(finding)).toSorted(),
  })

  it('finds what one run finds in a log that is in order, and keeps no more than how its last slice began', async () => {
    const { report } = await auditNow(at)
    expect(report).toMatchObject({ size: 530, blocks: 530, findings: [] })
    const tiny = await sliced()
    expect(tiny.report).toEqual(report)
    expect(tiny.slices).toBeGreaterThan(8)
    expect((await sliced(4)).report).toEqual(report)
    const names = (await kept()).map(({ key }) => key.split('/')[0])
    expect(names).toHaveLength(2)
    expect(new Set(names).size).toBe(2)
  })

  const DAMAGES: Readonly<Record<string, () => Readonly<Record<string, Uint8Array | null>>>> = {
    'a bundle is lost': () => ({ [FULL]: null }),
    'a bundle and its tile are lost': () => ({ [FULL]: null, 'tile/0/000': null }),
    'rows are lost and changed': () => ({ [rows[2] ?? '']: null, [rows[5] ?? '']: utf8('{}') }),
    'a row is of another leaf': () => ({ [rows.at(-1) ?? '']: utf8('{"count":2,"index":7,"v":1}') }),
    'tiles, rows and bundles are': () => ({
      'tile/0/001': utf8('x'),
      'tile/1/000.p/2': null,
      'tile/entries/001': utf8('x'),
      [rows[3] ?? '']: null,
    }),
    'the committed tree is lost': () => ({ 'checkpoints/log/tree': null }),
    'nothing can be decided': () => ({
      [FULL]: null,
      'tile/0/000': null,
      [rows[1] ?? '']: null,
      [rows[3] ?? '']: null,
    }),
  }

  it.each(Object.keys(DAMAGES))('finds what one run finds where %s', async (name) => {
    const changes = DAMAGES[name]?.() ?? {}
    const before = new Map<string, Uint8Array | null>()
    for (const [where, bytes] of Object.entries(changes)) {
      before.set(where, await at.stored.read(where))
      await at.stored.write(where, bytes)
    }
    const { report } = await auditNow(at)
    expect(report.findings).not.toEqual([])
    const tiny = await sliced()
    expect(tiny.slices).toBeGreaterThan(4)
    expect(sorted(tiny.report)).toEqual(sorted(report))
    for (const [where, bytes] of before) await at.stored.write(where, bytes)
  })

  it('of a tree that is too large for that does not look for what is wrong, and says who does', async () => {
    const bytes = await at.stored.read(FULL)
    const [tile, ports] = [await at.stored.read('tile/0/000'), await select(at.world.platform, AUDITOR_NEEDS)]
    const findings = async (maxLocatedLeaves: number) => {
      const how = { cursor: null, sinceLast: false, pause: () => false, maxLocatedLeaves }
      return (await auditSlice(ports, at.world.home, at.trust, how)).audit.report.findings
    }
    expect(await findings(529)).toEqual([])
    await at.stored.write(FULL, bytes && Uint8Array.from(bytes, (byte, i) => (i === 90 ? byte ^ 1 : byte)))
    await at.stored.write('tile/0/000', null)
    const [found, ...others] = await findings(529)
    expect(others).toEqual([])
    expect(found).toMatchObject({ rule: 'log-root', where: 'log' })
    expect(found?.detail).toContain('stop the server, npx ampere audit')
    expect(await findings(530)).toContainEqual(expect.objectContaining({ rule: 'bundle', where: FULL }))
    await at.stored.write(FULL, bytes)
    await at.stored.write('tile/0/000', tile)
    expect(await findings(529)).toEqual([])
  })

  it('says how far it is, and may repeat the slice whose answer was lost', async () => {
    let part = await slice(null)
    const leaves = [part.leaves]
    for (let cursor = part.next; cursor !== null; cursor = part.next) {
      const lost = await slice(cursor)
      part = await slice(cursor)
      expect(part.audit.report).toEqual(lost.audit.report)
      leaves.push(part.leaves)
    }
    expect(leaves.toSorted((a, b) => a - b)).toEqual(leaves)
    expect(leaves.at(-1)).toBe(530)
    expect(part.audit.report).toEqual((await auditNow(at)).report)
  })

  it('does not go on from what was changed in the store, or from what was forgotten', async () => {
    const part = await slice(null)
    const table = at.world.platform.table('audits')
    const name = part.next?.split('.')[0] ?? ''
    const row = (await kept()).find(({ key }) => key.startsWith(name))
    if (!row || part.next === null) throw new Error('a slice is kept')
    const changed = new TextDecoder().decode(row.value).replace('"phase":"rows"', '"phase":"done"')
    expect(utf8(changed)).not.toEqual(row.value)
    await table.swap('log', row.key, row.version, utf8(changed))
    await expect(slice(part.next)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(slice('x')).rejects.toMatchObject({ code: 'REQUEST_MALFORMED' })
    const { now } = at.world.clock
    at.world.clock.now += 25 * 3_600_000
    expect(await sliced(100)).toMatchObject({ slices: 1 })
    expect(await kept()).toEqual([])
    at.world.clock.now = now
  })

  it('on schedule goes on where it was interrupted, and then begins after what it passed', async () => {
    const ports = await select(at.world.platform, AUDITOR_NEEDS)
    // The clock moves on with every look at it, so that each slice has a few steps.
    let now = at.world.clock.now
    const ticking = { ...ports, now: () => (now += 11_000) }
    const lines: LogFields[] = []
    const audit = async (slices?: number) =>
      auditLogNews(ticking, at.world.home, at.trust, (line) => void lines.push(line), slices)
    for (let i = 0; i < 40 && lines.at(-1)?.event !== 'log-audited'; i++) await audit(1)
    expect(lines.length).toBeGreaterThan(2)
    expect(new Set(lines.slice(0, -1).map(({ event }) => event))).toEqual(new Set(['log-audit-pauses']))
    expect(lines.at(-1)).toEqual({ event: 'log-audited', role: 'auditor', count: 530 })
    await audit()
    expect(lines.at(-1)).toEqual({ event: 'log-audited', role: 'auditor', count: 0 })
    expect((await sliced(1, true)).report).toMatchObject({ from: 530, findings: [] })
    expect(await at.world.platform.table('audits').range('next', {})).toEqual([])
  })
})
