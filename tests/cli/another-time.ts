// SPDX-License-Identifier: Apache-2.0
import { jest } from '@jest/globals'

const DAY_MS = 86_400_000

/**
 * Acts as if some days had passed, or, with fewer than none, as if it were so long ago: by both clocks, as no clock was set.
 * `act` may have more time pass, in milliseconds.
 */
export async function daysLater(
  days: number,
  act: (pass: (ms: number) => Promise<void>) => Promise<void>,
): Promise<void> {
  let laterMs = days * DAY_MS
  const wall = Date.now.bind(Date)
  const elapsed = performance.now.bind(performance)
  const clocks = [
    jest.spyOn(Date, 'now').mockImplementation(() => wall() + laterMs),
    jest.spyOn(performance, 'now').mockImplementation(() => elapsed() + laterMs),
  ]
  try {
    await act(async (ms) => {
      laterMs += ms
    })
  } finally {
    for (const clock of clocks) clock.mockRestore()
  }
}
