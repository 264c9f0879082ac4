// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { memoryTable } from '#adapters/memory/table.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asChainId, asInstitutionId, type Digest } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import type { Grant } from '#core/block/block.ts'
import { digestOf } from '#core/crypto/hash.ts'
import { AmpereError, isAmpereError } from '#core/errors.ts'
import type { WriteTable } from '#core/ports/table.ts'
import { createQuotas, LEASE_BLOCKS, type Quotas } from '#core/server/append/quota.ts'
import { START_MS } from '#tests/deployment.ts'

const CHAIN = asChainId('A'.repeat(43))
const NOON = START_MS + 4 * 3_600_000
const DAY = 86_400_000

function grantWith(blocksPerDay: number, bytesPerDay: number): Grant {
  return {
    institution: asInstitutionId('hospital-a'),
    rights: ['append'],
    compartments: [],
    until: null,
    limits: { blocksPerDay, bytesPerDay },
  }
}

function processOf(table: WriteTable, clock: { now: number }): Quotas {
  return createQuotas({ tables: { quotas: table }, now: () => clock.now })
}

const names = { next: 0 }
/** An object that was never seen before, of so many bytes. */
function sealed(bytes: number): { bytes: number; root: Digest } {
  return { bytes, root: digestOf(utf8(String(names.next++))) }
}

/** How many of `count` appends of `bytes` each are let in. */
async function letIn(quotas: Quotas, grant: Grant, count: number, bytes = 1): Promise<number> {
  let admitted = 0
  for (let i = 0; i < count; i++) {
    try {
      await quotas.charge(CHAIN, grant, sealed(bytes))
      admitted++
    } catch (error) {
      if (!isAmpereError(error, 'LIMIT_EXCEEDED')) throw error
    }
  }
  return admitted
}

describe('the limits of a grant', () => {
  it('are never exceeded, whatever processes append at once, over midnight, and when some of them crash', async () => {
    const step = fc.oneof(
      {
        weight: 8,
        arbitrary: fc.record({ kind: fc.constant('append' as const), who: fc.nat(2), bytes: fc.nat(40) }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), who: fc.nat(2) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(DAY) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('meet' as const) }) },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.nat(14),
        fc.nat(300),
        fc.array(step, { minLength: 60, maxLength: 150 }),
        async (blocks, bytes, steps) => {
          const clock = { now: NOON }
          const table = memoryTable()
          const grant = grantWith(blocks, bytes)
          const processes = [0, 1, 2].map(() => processOf(table, clock))
          const spent = new Map<string, { blocks: number; bytes: number }>()
          let running: Promise<void>[] = []
          const append = async (quotas: Quotas, size: number, day: string) => {
            try {
              await quotas.charge(CHAIN, grant, sealed(size))
              const sum = spent.get(day) ?? { blocks: 0, bytes: 0 }
              spent.set(day, { blocks: sum.blocks + 1, bytes: sum.bytes + size })
            } catch (error) {
              if (!isAmpereError(error, 'LIMIT_EXCEEDED')) throw error
            }
          }
          for (const next of steps) {
            const day = toTimestamp(clock.now).slice(0, 10)
            if (next.kind === 'append')
              running.push(append(processes[next.who] ?? processOf(table, clock), next.bytes, day))
            else {
              await Promise.all(running)
              running = []
              if (next.kind === 'crash') processes[next.who] = processOf(table, clock)
              if (next.kind === 'pass') clock.now += next.ms
            }
          }
          await Promise.all(running)
          for (const sum of spent.values()) {
            expect(sum.blocks).toBeLessThanOrEqual(blocks)
            expect(sum.bytes).toBeLessThanOrEqual(bytes)
          }
        },
      ),
      { numRuns: 150 },
    )
  })

  it('can be used up to the last block and byte by one process, each day anew', async () => {
    const clock = { now: NOON }
    const quotas = processOf(memoryTable(), clock)
    expect(await letIn(quotas, grantWith(250, 1_000_000), 300)).toBe(250)
    clock.now += DAY / 2
    expect(await letIn(quotas, grantWith(250, 1_000_000), 300)).toBe(250)
    clock.now += DAY
    expect(await letIn(quotas, grantWith(1000, 77), 30, 7)).toBe(11)
  })

  it('cost one write per hundred appends, and none without limits', async () => {
    const memory = memoryTable()
    const writes = { count: 0 }
    const table: WriteTable = {
      ...memory,
      swap: (...args) => {
        writes.count++
        return memory.swap(...args)
      },
    }
    const quotas = processOf(table, { now: NOON })
    // Together: those that wait for the same lease must not each take one.
    await Promise.all(
      Array.from({ length: 5 * LEASE_BLOCKS }, () =>
        quotas.charge(CHAIN, grantWith(20_000, 1e9), sealed(4096)),
      ),
    )
    expect(writes.count).toBe(5)
    await quotas.charge(CHAIN, { ...grantWith(0, 0), limits: null }, sealed(4096))
    expect(writes.count).toBe(5)
  })

  it('lose no more than one lease, and never more than a tenth of a day, to a crash', async () => {
    const clock = { now: NOON }
    for (const [limit, lost] of [
      [5000, 99],
      [50, 4],
    ] as const) {
      const table = memoryTable()
      expect(await letIn(processOf(table, clock), grantWith(limit, 1e9), 1)).toBe(1)
      expect(await letIn(processOf(table, clock), grantWith(limit, 1e9), limit)).toBe(limit - 1 - lost)
    }
  })

  it('hold for the day after where one process is there already and another, a little slow, is not', async () => {
    const table = memoryTable()
    const midnight = Math.ceil(NOON / DAY) * DAY
    const slow = { now: midnight - 1000 }
    const behind = processOf(table, slow)
    const ahead = processOf(table, { now: midnight + 1000 })
    const grant = grantWith(100, 1000)
    expect(await letIn(behind, grant, 1, 100)).toBe(1)
    expect(await letIn(ahead, grant, 1, 1)).toBe(1)
    const late = await letIn(behind, grant, 200, 1)
    slow.now = midnight + 2000
    const rest = await letIn(behind, grant, 200, 1)
    expect(10 + late + rest).toBe(100)
  })

  it('hold from the moment they are lowered, and leave what was leased when they are raised', async () => {
    const quotas = processOf(memoryTable(), { now: NOON })
    expect(await letIn(quotas, grantWith(1000, 1e9), 10)).toBe(10)
    expect(await letIn(quotas, grantWith(60, 1e9), 1)).toBe(0)
    expect(await letIn(quotas, grantWith(1000, 1e9), 2000)).toBe(990)
    expect(await letIn(quotas, grantWith(1500, 1e9), 2000)).toBe(500)
  })

  it('say what was reached and how long the day lasts', async () => {
    const quotas = processOf(memoryTable(), { now: NOON })
    await letIn(quotas, grantWith(1, 100), 1, 60)
    const refusal = await quotas.charge(CHAIN, grantWith(1, 100), sealed(1)).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(AmpereError)
    expect(refusal).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: 'the grant allows 1 blocks per day; the day ends at midnight UTC',
      rateLimit: {
        policy: 'grant',
        unit: 'requests',
        quota: 1,
        windowSeconds: 86_400,
        remaining: 0,
        resetSeconds: 43_200,
      },
    })
    await expect(quotas.charge(CHAIN, grantWith(2, 100), sealed(41))).rejects.toMatchObject({
      rateLimit: { policy: 'grant-bytes', unit: 'content-bytes', quota: 100, remaining: 40 },
    })
  })

  it('count a lease whose write has an unknown outcome as used', async () => {
    const memory = memoryTable()
    const broken: WriteTable = {
      ...memory,
      swap: async (...args) => {
        await memory.swap(...args)
        throw new AmpereError('STORE_UNAVAILABLE', 'the store does not answer')
      },
    }
    const clock = { now: NOON }
    await expect(
      processOf(broken, clock).charge(CHAIN, grantWith(100, 1e9), sealed(1)),
    ).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    })
    expect(await letIn(processOf(memory, clock), grantWith(100, 1e9), 200)).toBe(90)
  })
})
