// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { makeExport } from '#core/client/export/write-export.ts'
import { verifyExport, type VerifyOptions } from '#core/client/export/verify-export.ts'
import { verifyEvidence } from '#core/evidence/verify.ts'
import { createShown } from '#core/client/receipt/shown.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { formatPolicy, parsePolicy } from '#core/log/policy/policy.ts'
import { fileOf, linesOf } from '#tests/core/client/receipt/export-mutations.ts'
import { lookupRecord, type LookupExport } from '#tests/vectors/ampere/lookups/monitored-record.ts'
import { monitoredWorld, type MonitoredWorld } from './monitored-world.ts'

describe('an export with the answers of monitors', () => {
  let made: LookupExport
  const judge = (bytes: Uint8Array, options: Partial<VerifyOptions> = {}) => {
    const { registry, policy, monitors } = made
    return verifyExport(bytes, { registry, policy: parsePolicy(policy), monitors, ...options })
  }

  beforeAll(async () => {
    made = await lookupRecord()
  })

  it('is complete as of a time by the monitors that are pinned, with no server', async () => {
    const { complete, problems } = await judge(made.file)
    expect([complete.why, complete.asOfMs, problems]).toEqual([null, made.seenMs, []])
    expect(complete.words.map(({ origin, says }) => [origin, says])).toEqual([
      ['http://m1.test', 'absent'],
      ['http://m2.test', 'absent'],
    ])
  })

  it('is judged by nobody but the home where no monitor, no policy or no quorum is pinned', async () => {
    const { registry, monitors, policy } = made
    expect((await verifyExport(made.file, { registry, policy: parsePolicy(policy) })).complete.why).toBe(
      'no-monitor',
    )
    expect((await verifyExport(made.file, { registry, monitors })).complete.why).toBe('no-quorum')
    const none = parsePolicy(policy.replace(/^quorum .*$/m, 'quorum none'))
    expect((await judge(made.file, { policy: none })).complete.why).toBe('no-quorum')
    const others = { origins: ['http://m3.test', 'http://home.test'], need: 1 }
    expect((await judge(made.file, { monitors: others })).complete.why).toBe('no-lookup')
  })

  it('is never complete as of a time after the one at which it is judged', async () => {
    expect((await judge(made.file, { nowMs: made.seenMs - 5000 })).complete.asOfMs).toBe(made.seenMs - 5000)
  })

  it('is not said to be complete by answers that say nothing of its end, and nothing else is wrong then', async () => {
    const names = made.spoilt.filter(({ why }) => why !== null && !['withheld', 'forked'].includes(why))
    expect(names).toHaveLength(15)
    for (const { name, why, file } of names) {
      const { complete, problems } = await judge(file)
      expect([name, complete.why, complete.asOfMs, problems]).toEqual([name, why, null, []])
    }
  })

  it('convicts a log that showed a monitor another tree than the receipts in it are under', async () => {
    const file = made.spoilt.find(({ name }) => name === 'forked')?.file ?? new Uint8Array(0)
    const kept: Uint8Array[] = []
    const evidence = async (bytes: Uint8Array) => `file ${kept.push(bytes)}`
    const { complete, problems, log } = await judge(file, { evidence })
    expect([complete.why, complete.asOfMs]).toEqual(['forked', null])
    expect(problems).toEqual([
      {
        height: 3,
        status: 'forked',
        rule: 'split-view',
        detail: expect.stringMatching(
          /two trees of 10 leaves with different roots; evidence is kept as file 1, one/,
        ),
      },
    ])
    expect(log?.problems).toEqual([])
    const logs = parsePolicy(made.policy).logs.map(({ key }) => formatVerifierKey(key))
    const { proves } = await verifyEvidence(kept[0] ?? new Uint8Array(0), { registry: null, logs })
    expect(proves).toMatch(/two trees of 10 leaves/)
  })

  it('convicts the log by two files, of which one shows its blocks and the other what a monitor saw', async () => {
    const forked = made.spoilt.find(({ name }) => name === 'forked')?.file ?? new Uint8Array(0)
    const shown = createShown()
    expect((await judge(forked, { shown })).problems).toMatchObject([{ height: 3, rule: 'split-view' }])
    const { problems } = await judge(made.file, { shown })
    expect(problems.map(({ rule }) => rule)).toContain('split-view')
  })

  it('is complete by fewer monitors where fewer are needed', async () => {
    const one = made.spoilt.find(({ name }) => name === 'one-lookup')?.file ?? new Uint8Array(0)
    expect((await judge(one, { monitors: { ...made.monitors, need: 1 } })).complete).toMatchObject({
      why: null,
    })
  })

  it('is missing its end where a monitor has the next block, which it proves', async () => {
    const { complete, problems } = await judge(made.withheld)
    expect(complete).toMatchObject({ why: 'withheld', asOfMs: null })
    expect(problems).toMatchObject([{ height: complete.height + 1, status: 'missing', rule: 'withheld' }])
    const byOne = made.spoilt.find(({ name }) => name === 'withheld-by-one')?.file ?? new Uint8Array(0)
    expect(await judge(byOne)).toMatchObject({
      complete: { why: 'withheld' },
      problems: [{ status: 'missing' }],
    })
  })

  it('is refused where a part of the answers stands twice or has another form', async () => {
    const lines = linesOf(fromUtf8(made.file))
    const some = lines.filter((line) => 'lookup' in line || 'labelKey' in line)
    expect(some).toHaveLength(3)
    for (const line of some)
      await expect(judge(fileOf([...lines, line]))).rejects.toMatchObject({
        code: 'EXPORT_MALFORMED',
        message: expect.stringContaining('a part occurs twice'),
      })
    const [key = {}, lookup = {}] = some
    for (const odd of [
      { ...key, labelKey: 'AAAA' },
      { ...lookup, under: key['labelKey'] },
      { ...lookup, found: 'x' },
      { ...lookup, of: 3 },
    ])
      await expect(
        judge(fileOf([...lines.filter((line) => line !== lookup && line !== key), odd as never])),
      ).rejects.toMatchObject({
        code: 'EXPORT_MALFORMED',
      })
  })
})

describe('making an export', () => {
  it('asks the pinned monitors, says what they say, and leaves them out when told to', async () => {
    const made = await monitoredWorld()
    await made.append('one')
    await made.settle()
    const reader = made.reader({ need: 3 })
    const { bytes, complete, answered } = await makeExport(reader, made.record)
    expect([complete?.why, answered.length]).toEqual([null, 3])
    const policy = parsePolicy(formatPolicy(made.policy))
    const judged = await verifyExport(bytes, { policy, monitors: { origins: answered, need: 3 } })
    expect(judged.complete).toMatchObject({ asOfMs: complete?.asOfMs, why: null })
    const without = await makeExport(reader, made.record, { lookups: false })
    expect([without.complete, without.answered]).toEqual([null, []])
    expect(fromUtf8(without.bytes)).not.toMatch(/"lookup"|"labelKey"/)
  })

  it('leaves the label key out where no answer says anything', async () => {
    const made = await monitoredWorld()
    await made.append('one')
    const { bytes, complete, answered } = await makeExport(made.reader(), made.record)
    expect([complete?.why, answered]).toEqual(['head-not-witnessed', []])
    expect(fromUtf8(bytes)).not.toMatch(/"lookup"|"labelKey"/)
  })

  it('holds a block that a monitor knew of and the first answer of the home did not have', async () => {
    const made = await monitoredWorld()
    await made.append('one')
    await made.settle()
    const { world, record } = made
    const old = await (await fetchHead(made)).text()
    await made.append('two')
    await made.settle()
    let isFirst = true
    const fetch: typeof world.fetch = async (request) => {
      if (!isFirst || new URL(request.url).pathname !== `/v1/chains/${record}/head`)
        return world.fetch(request)
      isFirst = false
      return new Response(old, { headers: { 'content-type': 'application/json' } })
    }
    const { complete } = await makeExport(made.reader({ fetch }), record)
    expect(complete).toMatchObject({ height: 3, why: null })
  })
})

/** What the home answers for the head of the record now. */
async function fetchHead(made: MonitoredWorld) {
  const answer = await made.reader().api.head(made.record)
  return Response.json(answer)
}
