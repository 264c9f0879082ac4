// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { flipped } from './flip.ts'
import { partsReader } from './judged.ts'
import { kindOf } from './parts.ts'
import { recordedHome, responseOf, type RecordedHome } from './recorded.ts'
import { WORDS } from './words.ts'

/** Of further answers of a kind one byte in so many; of its largest every third one, each bit in turn, and each byte with SLOW=1. */
const STEP = 16
const STEP_IN_LARGEST = process.env['SLOW'] === '1' ? 1 : 3

describe('one bit of what a home or a monitor answers', () => {
  let home: RecordedHome
  beforeAll(async () => {
    home = await recordedHome()
  })
  it('is tried in all kinds of answers that are asked for', () => {
    const asked = new Set(home.answers.map(({ asked: path }) => kindOf(path)))
    expect([...asked].toSorted()).toEqual(Object.keys(WORDS).toSorted())
  })

  it.each(Object.entries(WORDS))(
    'of the kind %s is refused or named wherever it is, or changes nothing',
    async (kind, expected) => {
      const answers = home.answers
        .filter(({ asked }) => kindOf(asked) === kind)
        .toSorted((a, b) => b.bytes.length - a.bytes.length)
      const words = new Set<string>()
      for (const [i, answer] of answers.entries()) {
        const say = await partsReader(home, answer)
        for (let at = 0; at < answer.bytes.length; at += i === 0 ? STEP_IN_LARGEST : STEP)
          words.add(await say(() => responseOf(answer, flipped(answer.bytes, at))))
      }
      expect([...words].toSorted()).toEqual(expected.toSorted())
    },
    900_000,
  )
})
