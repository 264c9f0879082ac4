// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { wrapPlatform, type Around } from '#adapters/around/calls.ts'
import {
  attempts,
  auditNow,
  callsOf,
  DAY_MS,
  entry,
  failCommits,
  mend,
  restoring,
  signAgain,
  sweepNow,
  texts,
  type Attempts,
} from '../attempts.ts'

/** Lets a task run to its n-th call and wait there. */
function stopAt(n: number): {
  readonly around: Around
  readonly reached: Promise<void>
  readonly goOn: () => void
} {
  const reached = Promise.withResolvers<void>()
  const resumed = Promise.withResolvers<void>()
  let calls = 0
  return {
    around: async (_, act) => {
      if (calls++ === n) {
        reached.resolve()
        await resumed.promise
      }
      return act()
    },
    reached: reached.promise,
    goOn: resumed.resolve,
  }
}

function outcomeOf(act: Promise<unknown>): Promise<string> {
  return act.then(
    () => 'filed',
    (error: { code?: string }) => String(error.code),
  )
}

/** A sweep up to its i-th call, an append up to its j-th, the rest of the sweep, the rest of the append. */
async function interleave(
  at: Attempts,
  { i, j }: { readonly i: number; readonly j: number },
  append: () => Promise<unknown>,
): Promise<string> {
  const sweeping = stopAt(i)
  const appending = stopAt(j)
  // The sweep looks at several shards at once, and those that were not stopped go on beside the append.
  let ofSweep = false
  const marked: Around = (name, act) =>
    sweeping.around(name, () => {
      ofSweep = true
      try {
        return act()
      } finally {
        ofSweep = false
      }
    })
  const swept = sweepNow(at.world, (platform) => wrapPlatform(platform, marked))
  await Promise.race([swept, sweeping.reached])
  at.around.current = (name, act) => (ofSweep ? act() : appending.around(name, act))
  const filed = outcomeOf(append())
  await Promise.race([filed, appending.reached])
  mend(at)
  sweeping.goOn()
  await swept
  appending.goOn()
  return filed
}

describe('an append whose parts were stored long ago', () => {
  /** An attempt of eight days ago, signed again now, and a sweep about to begin. */
  async function longAgo() {
    const at = await attempts()
    failCommits(at)
    await expect(at.a.append(at.record, [entry('old')])).rejects.toBeDefined()
    mend(at)
    at.world.clock.now += 8 * DAY_MS
    const [old] = at.sent.slice(-1)
    if (!old) throw new Error('it was sent')
    return { at, again: await signAgain(at, old) }
  }

  /** Filed and whole, or refused and to be repeated: never filed and without its parts. */
  async function check(at: Attempts, outcome: string): Promise<void> {
    const read = await texts(at)
    expect(read).toEqual(outcome === 'filed' ? ['one', 'old'] : ['one'])
    expect((await auditNow(at.world)).findings).toEqual([])
    at.world.clock.now += 9 * DAY_MS
    await sweepNow(at.world)
    expect(await texts(at)).toEqual(read)
  }

  it('is whole or refused for the moment, wherever it stops for a sweep and a sweep for it', async () => {
    const { at, again } = await longAgo()
    const outcomes = new Set<string>()
    const sweepTrace = await callsOf(at, () => sweepNow(at.world))
    const appendTrace = await callsOf(at, (fresh) => fresh.a.submit(again))
    // Before and behind these steps both only look around.
    const shred = sweepTrace.indexOf('objects.entries.shred')
    const mark = appendTrace.indexOf('table.dirty.insert')
    for (let i = shred - 9; i < shred + 3; i++) {
      for (let j = mark; j < appendTrace.length; j++) {
        await restoring(at, async (fresh) => {
          const outcome = await interleave(at, { i, j }, () => fresh.a.submit(again))
          outcomes.add(outcome)
          const { blocks, findings } = await auditNow(at.world)
          expect({ i, j, outcome, blocks, findings }).toEqual({
            i,
            j,
            outcome,
            blocks: outcome === 'filed' ? 6 : 5,
            findings: [],
          })
        })
      }
    }
    expect([...outcomes].toSorted()).toEqual(['STORE_UNAVAILABLE', 'filed'])
  }, 120_000)

  it('is whole however the steps of both fall', async () => {
    const { at, again } = await longAgo()
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        await restoring(at, async (fresh) => {
          at.around.current = async (name, act) => {
            await scheduler.schedule(Promise.resolve(), name)
            return act()
          }
          const appending = outcomeOf(fresh.a.submit(again))
          await scheduler.waitFor(Promise.all([appending, sweepNow(at.world)]))
          mend(at)
          await check(fresh, await appending)
        })
      }),
      { numRuns: process.env['SLOW'] === '1' ? 5000 : 10 },
    )
  }, 1_200_000)

  it('is given up when storing its parts took so long that they might be swept', async () => {
    const { at, again } = await longAgo()
    at.around.current = (name, act) => {
      if (name === 'table.wraps.insert') at.world.clock.now += 11 * 60_000
      return act()
    }
    expect(await outcomeOf(at.a.submit(again))).toBe('STORE_UNAVAILABLE')
    at.around.current = (_, act) => act()
    expect(await texts(at)).toEqual(['one'])
  })
})
