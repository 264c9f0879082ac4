// SPDX-License-Identifier: Apache-2.0
import { isAmpereError } from '#core/errors.ts'
import type { Policy } from '#core/log/policy/policy.ts'
import { coalesce } from '#core/order/coalesce.ts'
import { spaced } from '#core/order/spaced.ts'
import { createCosigner, type CosignReport } from '#core/server/cosign/cosigner.ts'
import type { Home } from '#core/server/home.ts'
import { createSequencer } from '#core/server/sequence/sequencer.ts'
import type { Ports } from '#core/ports/needs.ts'
import type { Hosting } from '../host/app.ts'
import type { Log, LogFields } from '../host/telemetry.ts'
import type { role } from './role.ts'

/** How often the log is looked after, in milliseconds, where the process stays. */
export const SEQUENCE_MS = 1000

/** Between two rounds that are begun for those who wait while nothing new is logged, in milliseconds. */
export const COSIGN_AGAIN_MS = 1000

/** What the log is looked after with. None of these rejects: what fails is said by its code, and tried the next time. */
export interface Sequencing {
  /** Logs all that there is to log. */
  readonly sequence: () => Promise<void>
  /** Has what is published cosigned, where the policy names witnesses. */
  readonly cosign: () => Promise<void>
  /**
   * The same for those who wait, who may be many, and anybody: begins a round when something was logged here since the
   * last one began, or when that is `COSIGN_AGAIN_MS` ago; else it gives the last round, which all share.
   */
  readonly cosignNews: () => Promise<void>
  /** False while logging fails, as far as this process knows. */
  readonly isLogging: () => boolean
}

/**
 * Whoever calls while something runs gets what the next run does. `policy` is null where nobody witnesses. Rounds are spaced by
 * `now`: what signs may have a clock that refuses to answer.
 */
export function createSequencing(
  ports: Ports<(typeof role)['needs']>,
  home: Home,
  policy: Policy | null,
  { log, now }: Pick<Hosting, 'log' | 'now'>,
): Sequencing {
  const sequencer = createSequencer(ports, home)
  const cosigner = policy && createCosigner(ports, home, policy)
  const troubles = createTroubles(log)
  let hasNews = false
  const round = coalesce(() =>
    attempt('cosign-failed', troubles, async () => {
      const report = await cosigner?.run()
      if (report) sayCosigned(report, troubles, log)
    }),
  )
  const cosign = (): Promise<void> => {
    hasNews = false
    return round()
  }
  const cosignSpaced = spaced(cosign, COSIGN_AGAIN_MS, now)
  return {
    cosign: cosignSpaced.now,
    cosignNews: () => (hasNews ? cosignSpaced.now() : cosignSpaced.soon()),
    isLogging: () => !troubles.stands('log-failed'),
    sequence: coalesce(() =>
      attempt('log-failed', troubles, async () => {
        for (;;) {
          const { added, more, skipped } = await sequencer.run()
          if (added > 0) hasNews = true
          if (added > 0) log({ event: 'logged', role: 'sequencer', count: added })
          const count = skipped.length
          troubles.say('log-skips', count > 0 && { code: 'STORE_CORRUPT', count })
          if (!more) return
        }
      }),
    ),
  }
}

function sayCosigned({ failed, untimely, ahead }: CosignReport, troubles: Troubles, log: Log): void {
  if (untimely.length > 0) log({ event: 'witness-untimely', role: 'sequencer', count: untimely.length })
  for (const code of new Set(failed.map((each) => each.code))) {
    const count = failed.filter((each) => each.code === code).length
    log({ event: 'witness-failed', role: 'sequencer', code, count })
  }
  const stood = troubles.stands('witness-ahead')
  if (ahead.length === 0 || !stood)
    troubles.say('witness-ahead', ahead.length > 0 && { code: 'STORE_CORRUPT', count: ahead.length })
}

/** What is wrong until it is said to have ended, by event. */
interface Troubles {
  /** Says what is wrong, each time; or, once, that nothing is any more: `log-failed-ended`. */
  readonly say: (event: string, wrong: false | Omit<LogFields, 'event' | 'role'>) => void
  readonly stands: (event: string) => boolean
}

function createTroubles(log: Log): Troubles {
  const standing = new Set<string>()
  return {
    stands: (event) => standing.has(event),
    say: (event, wrong) => {
      if (wrong !== false) {
        standing.add(event)
        log({ event, role: 'sequencer', ...wrong })
      } else if (standing.delete(event)) log({ event: `${event}-ended`, role: 'sequencer' })
    },
  }
}

async function attempt(event: string, troubles: Troubles, act: () => Promise<void>): Promise<void> {
  try {
    await act()
    troubles.say(event, false)
  } catch (error) {
    troubles.say(event, { code: isAmpereError(error) ? error.code : 'UNEXPECTED' })
  }
}
