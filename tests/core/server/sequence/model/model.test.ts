// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { explore } from './explore.ts'
import { RULES, type Rules } from './sequencer-steps.ts'
import type { Bounds } from './state.ts'

const IS_SLOW = process.env['SLOW'] === '1'
const SMALL: Bounds = { appends: [0, 1], sequencers: 2, runs: 1, crashes: 1, agings: 0 }

/** Bounds and how many states are within them: another number means that the model is another one. */
const QUICK: readonly (readonly [what: string, bounds: Partial<Bounds>, states: number])[] = [
  ['one block on each of two chains', {}, 5831],
  ['two blocks on one chain', { appends: [0, 0] }, 6334],
  ['one block, marks that become old, two runs each', { appends: [0], runs: 2, agings: 1 }, 12_463],
]
/** Some ten seconds. */
const LONG: typeof QUICK = [
  ['two chains, marks that become old', { agings: 1 }, 44_948],
  ['three blocks on two chains', { appends: [0, 0, 1], crashes: 0 }, 67_451],
  ['two chains, two runs each', { runs: 2, crashes: 0 }, 42_117],
]

/** Rules that are left out, where that shows, and what is seen. */
const BROKEN: readonly (readonly [rule: keyof Rules, bounds: Partial<Bounds>, seen: RegExp])[] = [
  ['appliesFirst', { runs: 2 }, /^tiles of the committed tree are missing$/],
  ['comparesTree', { crashes: 0 }, /^the log was forked/],
  ['namesTreeBelow', { runs: 2, crashes: 0 }, /^another bundle has its name$/],
  ['waitsForHead', { crashes: 0, agings: 1 }, /^nothing leads to a block that is stored/],
]

/**
 * Everything that appends, two sequencers, a witness and a crash can do in any order, within bounds. A call that fails,
 * done or not, is a crash here: a sequencer forgets all that it knew. Shards are read at once and chains one after the
 * other, tiles and positions are stored in one step, and calls that take effect late are left out.
 */
describe('the model of the log', () => {
  it.each(IS_SLOW ? [...QUICK, ...LONG] : QUICK)(
    'never forks, loses, doubles or shows what is not stored: %s',
    (_, bounds, states) => {
      const { wrong, ...found } = explore({ ...SMALL, ...bounds })
      expect(wrong).toBeNull()
      expect(found.ends).toBeGreaterThan(0)
      expect(found.states).toBe(states)
    },
    120_000,
  )

  it.each(BROKEN)(
    'finds what goes wrong without the rule %s',
    (rule, bounds, seen) => {
      const { wrong } = explore({ ...SMALL, ...bounds }, { ...RULES, [rule]: false })
      expect(wrong?.what).toMatch(seen)
      expect(wrong?.trace.length).toBeGreaterThan(5)
    },
    120_000,
  )

  const itSlow = IS_SLOW ? it : it.skip
  itSlow(
    'has the bundle of a committed tree removed when its name says too little and nobody reads it back',
    () => {
      const rules = { ...RULES, namesTreeBelow: false, readsBack: false }
      expect(explore({ ...SMALL, runs: 2, crashes: 0 }, rules).wrong?.what).toBe(
        'the bundle of the committed tree is missing',
      )
    },
    120_000,
  )
})
