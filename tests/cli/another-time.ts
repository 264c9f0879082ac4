// SPDX-License-Identifier: Apache-2.0
import { jest } from '@jest/globals'

const DAY_MS = 86_400_000

/** Acts as if some days had passed, or, with fewer than none, as if it were so long ago: by both clocks, as no clock was set. */
export async function daysLater(days: number, act: () => Promise<void>): Promise<void> {
  const wall = Date.now.bind(Date)
  const elapsed = performance.now.bind(performance)
  const clocks = [
    jest.spyOn(Date, 'now').mockImplementation(() => wall() + days * DAY_MS),
    jest.spyOn(performance, 'now').mockImplementation(() => elapsed() + days * DAY_MS),
  ]
  try {
    await act()
  } finally {
    for (const clock of clocks) clock.mockRestore()
  }
}
