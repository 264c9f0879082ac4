// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { figure, inTurn, isMet, linesOf, median, perSecond, ratios } from '#tests/bench/measure.ts'

describe('what benchmarks are summarised by', () => {
  it('takes a median that has as many values on one side as on the other', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }),
        (values) => {
          const middle = median(values)
          const below = values.filter((value) => value < middle).length
          const above = values.filter((value) => value > middle).length
          expect(Math.max(below, above)).toBeLessThanOrEqual(values.length / 2)
        },
      ),
    )
    expect(median([4, 1, 2, 3])).toBe(2.5)
    expect(() => median([])).toThrow('there is no median of nothing')
  })

  it('measures every act in every round, after one round that does not count', async () => {
    const ran: string[] = []
    const samples = await inTurn(
      { a: async (round) => ran.push(`a${round}`), b: async (round) => ran.push(`b${round}`) },
      2,
    )
    expect(ran).toEqual(['a-1', 'b-1', 'a0', 'b0', 'b1', 'a1'])
    expect([samples.a.length, samples.b.length]).toEqual([2, 2])
  })

  it('divides round by round, so that a slow machine does not change a ratio', () => {
    const quiet = perSecond(10, [{ wallMs: 100, cpuMs: 0 }])
    const busy = perSecond(10, [{ wallMs: 400, cpuMs: 0 }])
    expect([quiet, busy]).toEqual([[100], [25]])
    expect(ratios([...quiet, ...busy], [200, 50])).toEqual([0.5, 0.5])
  })

  it('says whether a goal is met, and by how many rounds with what spread', () => {
    const rate = figure('rate', 'blocks/s', [900, 1100, 1000], { atLeast: 1000 })
    const slow = figure('time', 'ms', [151], { atMost: 150 })
    expect([rate.value, isMet(rate), isMet(slow), isMet(figure('size', 'MB', [1]))]).toEqual([
      1000,
      true,
      false,
      null,
    ])
    expect(
      linesOf('append', 'How fast?', { sizes: '3 rounds', figures: [rate, slow], doesNotShow: 'networks.' }),
    ).toEqual([
      'append: How fast?',
      '  3 rounds',
      '  rate     1,000 blocks/s  (900 to 1,100)  goal at least 1000: met',
      '  time       151 ms  goal at most 150: missed',
      '  Not shown: networks.',
    ])
  })
})
