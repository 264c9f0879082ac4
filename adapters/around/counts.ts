// SPDX-License-Identifier: Apache-2.0
import type { Platform } from '#core/ports/needs.ts'
import { wrapPlatform } from './calls.ts'

/** A platform that counts its calls by name; counts are stable where times are not. */
export function countCalls(platform: Platform): {
  readonly platform: Platform
  readonly counts: () => Readonly<Record<string, number>>
  readonly reset: () => void
} {
  const counted = new Map<string, number>()
  return {
    platform: wrapPlatform(platform, (name, act) => {
      counted.set(name, (counted.get(name) ?? 0) + 1)
      return act()
    }),
    counts: () => Object.fromEntries(counted),
    reset: () => counted.clear(),
  }
}
