// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { timestampMs, toTimestamp } from '#core/bytes/timestamp.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import type { TimedVectors } from '#tests/vectors/ampere/times/timed-vectors.ts'
import { fileOf, having, linesOf, withoutRegistryReceipts, withoutWitnesses } from './export-mutations.ts'
import {
  datedAhead,
  endedGrant,
  endedGrantUnseen,
  erasedAfter,
  erasedUnseen,
  lateRevocation,
  loggedAhead,
  unloggedForgery,
  waitingErasure,
  type TimedRecord,
} from './timed-records.ts'
import { witnessBehind } from './witness-behind.ts'

const HOUR_MS = 3_600_000

/** What a file shows, as a reader says it. */
async function ofFile({ registry, policy }: TimedRecord, bytes: Uint8Array) {
  const { log, problems } = await verifyExport(bytes, { registry, policy: parsePolicy(policy) })
  const said = problems.map(({ height, status, rule }) => `${height} ${status} ${rule}`)
  return { statuses: log?.statuses, problems: said }
}

/** What is said of a record, by a reader as by whoever has the file. */
async function saidOf(record: TimedRecord) {
  const { statuses, problems, bytes } = record
  expect(await ofFile(record, bytes)).toEqual({ statuses, problems })
  return { statuses, problems }
}

describe('a block that nobody saw while its author could write it', () => {
  it('is suspect where its key was revoked and the home logged the revocation late, and those seen before are not', async () => {
    const { statuses, problems } = await saidOf(await lateRevocation())
    expect(statuses).toEqual(['witnessed', 'witnessed', 'witnessed', 'witnessed', 'suspect'])
    expect(problems).toEqual([])
  })

  it('is suspect where its key was revoked and no receipt shows it, and its home is overdue all the same', async () => {
    const { statuses, problems } = await saidOf(await unloggedForgery(null))
    expect(statuses).toEqual(['witnessed', 'witnessed', 'witnessed', 'suspect'])
    expect(problems).toEqual(['3 overdue promise'])
  })

  it('is suspect where the grant by which it was written ended more than three minutes before', async () => {
    const within = await saidOf(await endedGrant(179_000))
    expect(within).toEqual({ statuses: Array.from({ length: 5 }, () => 'witnessed'), problems: [] })
    const { statuses, problems } = await saidOf(await endedGrant(182_000))
    expect(statuses).toEqual(['witnessed', 'witnessed', 'witnessed', 'witnessed', 'suspect'])
    expect(problems).toEqual([])
  })
})

describe('a home that says in a file that it is earlier than it is', () => {
  it('does not make witnessed what nobody saw while its author could write it', async () => {
    for (const record of [await lateRevocation(170_000), await endedGrant(182_000, 100_000)]) {
      const { statuses, problems } = await saidOf(record)
      expect(statuses).toEqual(['witnessed', 'witnessed', 'witnessed', 'witnessed', 'suspect'])
      expect(problems).toEqual([])
    }
  })

  it('does not either where it takes away what witnesses said: its log signed later than that', async () => {
    const record = await endedGrantUnseen(182_000, 100_000)
    const { statuses, problems } = await ofFile(record, record.bytes)
    // Of the first by that grant nobody shows any more that witnesses saw it in time.
    expect(statuses).toEqual(['logged', 'logged', 'logged', 'suspect', 'suspect'])
    expect(problems).toEqual([])
  })

  it('nor where only the receipt of the revocation says how late it is', async () => {
    const { bytes, ...record } = await lateRevocation(170_000)
    const lines = having('receipt', 4, () => null)(withoutWitnesses(linesOf(fromUtf8(bytes))))
    const { statuses } = await ofFile({ bytes, ...record }, fileOf(lines))
    expect(statuses?.slice(3)).toEqual(['suspect', 'suspect'])
  })

  it('owes nothing sooner because its log once signed with a clock a year ahead', async () => {
    const { bytes, registry, policy } = await loggedAhead(365 * 24 * HOUR_MS)
    const nobody = parsePolicy(policy.replace(/quorum \S+\n$/, 'quorum none\n'))
    const { log, problems } = await verifyExport(bytes, { registry, policy: nobody })
    expect(log?.statuses).toEqual(['logged', 'logged', 'promised'])
    expect(problems).toEqual([])
  })

  it('owes all that was due when witnesses saw anything in it', async () => {
    const { bytes, ...record } = await lateRevocation(170_000)
    for (const height of [0, 3]) {
      const lines = having('receipt', height, () => null)(linesOf(fromUtf8(bytes)))
      const { problems } = await ofFile({ bytes, ...record }, fileOf(lines))
      expect(problems).toEqual([`${height} overdue promise`])
    }
    // Of the revocation it owes the receipt as well: without it nobody knows what came before.
    const unshown = withoutRegistryReceipts(linesOf(fromUtf8(bytes)))
    const { statuses } = await ofFile({ bytes, ...record }, fileOf(unshown))
    expect(statuses?.slice(3)).toEqual(['suspect', 'suspect'])
  })
})

describe('a block that says that it is of a later time', () => {
  it('is found where no receipt shows it, though nobody can say that it is overdue', async () => {
    const { statuses, problems } = await saidOf(
      await unloggedForgery(toTimestamp(timestampMs('2100-01-01T00:00:00.000Z'))),
    )
    expect(statuses).toEqual(['witnessed', 'witnessed', 'witnessed', 'suspect'])
    expect(problems).toEqual(['3 suspect block-time'])
  })

  it('is found where witnesses saw it more than four minutes before, also after that time has come', async () => {
    const { statuses, problems } = await saidOf(await datedAhead(241_000))
    expect(statuses).toEqual(['witnessed', 'witnessed', 'witnessed', 'witnessed'])
    expect(problems).toEqual(['3 suspect block-time'])
    expect((await saidOf(await datedAhead(240_000))).problems).toEqual([])
  })
})

describe('a witness whose clock is behind', () => {
  it('makes no liar of a log, where the others of the quorum saw the tree after it was signed', async () => {
    const all = Array.from({ length: 3 }, () => 'witnessed')
    expect(await saidOf(await witnessBehind(110_000, 20_000))).toEqual({ statuses: all, problems: [] })
    const record = await witnessBehind(110_000, 122_000)
    const { problems } = await ofFile(record, record.bytes)
    expect(problems).toEqual([0, 1, 2].map((height) => `${height} suspect log-time`))
  })
})

describe('an erasure that says that it waited', () => {
  it('is found where witnesses saw it completed less than its delay after they saw its request', async () => {
    const late = await saidOf(await erasedAfter(361_000, 72 * HOUR_MS))
    expect(late.problems).toEqual(['4 suspect delay-unseen'])
    expect(new Set(late.statuses)).toEqual(new Set(['witnessed']))
    const ahead = ['4 suspect log-time', '4 suspect block-time', '4 suspect delay-unseen']
    expect((await saidOf(await erasedAfter(0, HOUR_MS))).problems).toEqual(ahead)
    expect((await saidOf(await erasedAfter(60_000, 60_000))).problems).toEqual(ahead)
  })

  it('is right where they saw its delay pass, less six minutes between clocks', async () => {
    const waited = await erasedAfter(360_000, 72 * HOUR_MS)
    expect((await saidOf(waited)).problems).toEqual([])
    // Without the receipt of the request nobody saw since when it waits.
    const lines = having('receipt', 3, () => null)(linesOf(fromUtf8(waited.bytes)))
    const { problems } = await ofFile(waited, fileOf(lines))
    expect(problems.toSorted()).toEqual(['3 overdue promise', '4 suspect delay-unseen'])
  })
})

describe('an erasure that no witness saw completed', () => {
  it('is no problem while they may still have to see it, and is one after six minutes', async () => {
    expect((await saidOf(await erasedUnseen(0))).problems).toEqual([])
    const waits = await saidOf(await erasedUnseen(360_000))
    expect(waits).toMatchObject({ statuses: { 3: 'witnessed', 4: 'logged' }, problems: [] })
    const { problems } = await saidOf(await erasedUnseen(360_001))
    expect(problems).toEqual(['4 suspect delay-unseen'])
  })

  it('is found also where the file says that it is of before, by when the log says that it signed', async () => {
    const early = await waitingErasure(0)
    const [completedMs, seenMs] = [72 * HOUR_MS, 72 * HOUR_MS + 362_000]
    const when = { completedMs, seenMs, isUnseen: true, headMs: completedMs + 1000 }
    const record = await early.completed(when)
    expect((await ofFile(record, record.bytes)).problems).toEqual(['4 suspect delay-unseen'])
  })

  it('is no problem for who asks for no witnesses', async () => {
    const record = await erasedUnseen(HOUR_MS)
    const policy = record.policy.replace(/quorum \S+\n$/, 'quorum none\n')
    expect((await ofFile({ ...record, policy }, record.bytes)).problems).toEqual([])
  })
})

describe('an erasure that waits', () => {
  it('can be completed when nobody will find that its delay was not kept, and not 5 minutes before', async () => {
    for (const askedMs of [0, 60_000, HOUR_MS]) {
      const erasableMs = (await (await waitingErasure(askedMs)).erasableMs()) ?? Number.NaN
      expect(erasableMs).toBe(Math.max(72 * HOUR_MS, 72 * HOUR_MS + askedMs - 180_000))
      const atOnce = { completedMs: erasableMs, seenMs: erasableMs }
      expect((await saidOf(await (await waitingErasure(askedMs)).completed(atOnce))).problems).toEqual([])
    }
    const early = { completedMs: 73 * HOUR_MS - 480_000, seenMs: 73 * HOUR_MS - 480_000 }
    const { problems } = await saidOf(await (await waitingErasure(HOUR_MS)).completed(early))
    expect(problems).toEqual(['4 suspect delay-unseen'])
  })

  it('cannot be completed so while no quorum saw its request', async () => {
    expect(await (await waitingErasure(null)).erasableMs()).toBeNull()
  })
})

describe('the frozen exports whose times somebody bent', () => {
  it('are judged as they must be', async () => {
    const folder = new URL('../../../vectors/ampere/times/', import.meta.url)
    const read = (name: string) => readFileSync(new URL(name, folder))
    const { policy, vectors } = JSON.parse(read('expected.json').toString()) as TimedVectors
    for (const { name, registry, statuses, problems } of vectors) {
      const report = await verifyExport(read(`${name}.ampere`), { registry, policy: parsePolicy(policy) })
      expect([name, report]).toMatchObject([name, { log: { statuses }, problems }])
    }
    expect(vectors).toHaveLength(10)
  })
})
