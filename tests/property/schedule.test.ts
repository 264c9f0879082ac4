// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { ATTEMPTS } from './attempts.ts'
import {
  agreedState,
  expectModel,
  expectReaders,
  expectRefused,
  expectRepeated,
  expectServed,
} from './oracle.ts'
import { STEPS } from './steps.ts'
import { beginStory } from './world.ts'

/** Schedules in every run of the tests; SLOW=1 makes it many. */
const RUNS = process.env['SLOW'] === '1' ? 60 : 2
/** Steps that change who may read what come more often: their combinations are what goes wrong. */
const WEIGHTS: Readonly<Record<string, number>> = { append: 3, 'append as another': 2, grant: 5, revoke: 2 }
const names = Object.keys(STEPS).flatMap((name) => Array.from({ length: WEIGHTS[name] ?? 1 }, () => name))
/** A step, then an attempt at something that must be refused, and the repetition of what was done before. */
const turn = fc.record({
  step: fc.constantFrom(...names),
  attempt: fc.constantFrom(...Object.keys(ATTEMPTS)),
  pick: fc.nat({ max: 255 }),
})
const schedules = fc.array(turn, { minLength: 8, maxLength: 14, size: 'max' })

/** Steps that lead through every state in which something is to be refused. */
const OCCASIONS: readonly (readonly [step: string, pick: number])[] = [
  ['append', 0],
  ['grant', 0],
  ['request erasure', 1],
  ['hold', 0],
  ['registry', 0],
  ['registry', 0],
]

describe('any schedule of steps', () => {
  it('leaves home, newcomer, raw blocks and export with one state, each reader with its own, and no trace of what was refused', async () => {
    const property = fc.asyncProperty(schedules, fc.nat(), async (schedule, seed) => {
      const story = await beginStory(seed)
      for (const { step, attempt, pick } of schedule) {
        await STEPS[step]?.(story, pick)
        const replica = await agreedState(story)
        expectModel(story, replica)
        await expectReaders(story, replica)
        await expectRefused(story, (await ATTEMPTS[attempt]?.(story, pick)) ?? null)
        await expectRepeated(story, pick)
      }
      await expectServed(story)
    })
    await fc.assert(property, { numRuns: RUNS })
  }, 600_000)

  it('refuses each attempt for its own reason in a story that gives occasion for all', async () => {
    const story = await beginStory(3)
    const occasions = new Set<string>()
    for (const [step, pick] of OCCASIONS) {
      await STEPS[step]?.(story, pick)
      for (const [name, make] of Object.entries(ATTEMPTS)) {
        if (occasions.has(name)) continue
        const attempt = await make(story, pick)
        if (attempt) occasions.add(name)
        await expectRefused(story, attempt)
      }
    }
    expect(Object.keys(ATTEMPTS).filter((name) => !occasions.has(name))).toEqual([])
    await expectServed(story)
  }, 60_000)
})
