// SPDX-License-Identifier: Apache-2.0
import { isAmpereError, ruleIn } from '#core/errors.ts'
import { coalesce } from '#core/order/coalesce.ts'
import { countOverdue, followRegistry } from '#core/server/follow/follow.ts'
import { FOLLOW_BOUNDS, type FollowPorts } from '#core/server/follow/needs.ts'
import type { Home } from '#core/server/home.ts'
import type { Log } from '../host/telemetry.ts'

/** How often a registry is followed where the process stays, in milliseconds: what it revokes is honoured here that much later. */
export const FOLLOW_MS = 15_000

/**
 * Follows the registry once whenever it is called, one run at a time. Never rejects: what fails is said by its code and rule, kept as
 * the reason why the registry's home was not seen, and tried the next time.
 */
export function createFollowing(ports: FollowPorts, home: Home, log: Log): () => Promise<void> {
  const bounds = { ...FOLLOW_BOUNDS, deadline: (ms: number) => AbortSignal.timeout(ms) }
  const say = sayWrong(log)
  const sayOverdue = (count: number) => say('revocation-overdue', count === 0 ? null : { count })
  return coalesce(async () => {
    try {
      const { outcome, added, overdue } = await followRegistry(ports, home, bounds)
      if (added > 0) log({ event: 'registry-followed', role: 'follower', count: added })
      say('registry-forked', outcome === 'forked' ? { code: 'VERIFICATION_FAILED' } : null)
      say('registry-unseen', null)
      sayOverdue(overdue)
    } catch (error) {
      say('registry-unseen', failureOf(error))
      // What it owes counts most where its home does not answer.
      await home.registry.refresh().then(
        (held) => sayOverdue(countOverdue(held, ports.now())),
        () => undefined,
      )
    }
  })
}

/** What is wrong, as the log may say it. */
type Wrong = Readonly<{ code?: string; rule?: string; count?: number }>
type Say = (event: string, wrong: Wrong | null) => void

/** Says what is wrong each time, as whoever counts failing runs needs it, and once that it ended. */
function sayWrong(log: Log): Say {
  const standing = new Set<string>()
  return (event, wrong) => {
    if (wrong === null && standing.delete(event)) log({ event: `${event}-ended`, role: 'follower' })
    if (wrong === null) return
    standing.add(event)
    log({ event, role: 'follower', ...wrong })
  }
}

function failureOf(error: unknown): Wrong {
  if (!isAmpereError(error)) return { code: 'UNEXPECTED' }
  const rule = ruleIn(error)
  return rule === null ? { code: error.code } : { code: error.code, rule }
}
