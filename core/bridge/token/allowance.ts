// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '../../errors.ts'
import type { Now } from '../../ports/keys.ts'

/** Tokens that one client gets from one process in a minute; one token lasts for five. */
export const TOKENS_PER_MINUTE = 120
const WINDOW_MS = 60_000

/**
 * How many tokens each client gets. Only clients that have proved who they are use up any: who merely names another
 * cannot lock it out.
 */
export interface Allowance {
  /** @throws AmpereError LIMIT_EXCEEDED while none is left */
  check(client: string): void
  take(client: string): void
}

/** Counted in this process, in windows of a minute: several processes give as many times more. */
export function createAllowance(now: Now, perMinute: number = TOKENS_PER_MINUTE): Allowance {
  const counts = new Map<string, { readonly sinceMs: number; taken: number }>()
  const windowOf = (client: string) => {
    const known = counts.get(client)
    const nowMs = now()
    // Before it began is only a clock that was set back.
    if (known && nowMs >= known.sinceMs && nowMs - known.sinceMs < WINDOW_MS) return known
    const fresh = { sinceMs: nowMs, taken: 0 }
    counts.set(client, fresh)
    return fresh
  }
  return {
    check: (client) => {
      const { sinceMs, taken } = windowOf(client)
      if (taken < perMinute) return
      const resetSeconds = Math.max(1, Math.ceil((sinceMs + WINDOW_MS - now()) / 1000))
      throw new AmpereError(
        'LIMIT_EXCEEDED',
        `a client gets ${perMinute} tokens a minute; one is good for five`,
        {
          rateLimit: {
            policy: 'tokens',
            unit: 'requests',
            quota: perMinute,
            windowSeconds: WINDOW_MS / 1000,
            remaining: 0,
            resetSeconds,
          },
        },
      )
    },
    take: (client) => {
      windowOf(client).taken++
    },
  }
}
