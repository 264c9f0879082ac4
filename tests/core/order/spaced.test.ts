// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { spaced } from '#core/order/spaced.ts'

/** Runs that are numbered, on a clock that the test moves. */
function scene() {
  const clock = { now: 5_000 }
  let runs = 0
  const { now, soon } = spaced(
    async () => ++runs,
    1000,
    () => clock.now,
  )
  return { clock, now, soon }
}

describe('a spaced act', () => {
  it('is shared by all who ask soon after it began, and begun again after the pause', async () => {
    const { clock, soon } = scene()
    expect(await Promise.all([soon(), soon()])).toEqual([1, 1])
    clock.now += 999
    expect(await soon()).toBe(1)
    clock.now += 1
    expect(await Promise.all([soon(), soon()])).toEqual([2, 2])
  })

  it('begins at once for who does not wait, and is then shared with those who do', async () => {
    const { clock, now, soon } = scene()
    expect([await soon(), await now(), await soon()]).toEqual([1, 2, 2])
    clock.now += 999
    expect(await soon()).toBe(2)
  })

  it('begins again when the clock was set back', async () => {
    const { clock, soon } = scene()
    await soon()
    clock.now -= 1
    expect(await soon()).toBe(2)
  })
})
