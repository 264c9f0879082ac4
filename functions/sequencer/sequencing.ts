// SPDX-License-Identifier: Apache-2.0
import { isAmpereError } from '#core/errors.ts'
import type { Policy } from '#core/log/policy/policy.ts'
import { coalesce } from '#core/order/coalesce.ts'
import { spaced } from '#core/order/spaced.ts'
import { createCosigner } from '#core/server/cosign/cosigner.ts'
import type { Home } from '#core/server/home.ts'
import { createSequencer } from '#core/server/sequence/sequencer.ts'
import type { Ports } from '#core/ports/needs.ts'
import type { Log } from '../host/telemetry.ts'
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
}

/** Whoever calls while something runs gets what the next run does. `policy` is null where nobody witnesses. */
export function createSequencing(
  ports: Ports<(typeof role)['needs']>,
  home: Home,
  policy: Policy | null,
  log: Log,
): Sequencing {
  const sequencer = createSequencer(ports, home)
  const cosigner = policy && createCosigner(ports, home, policy)
  let hasNews = false
  const round = coalesce(() =>
    attempt('cosign-failed', log, async () => {
      const { failed = [], untimely = [] } = (await cosigner?.run()) ?? {}
      if (untimely.length > 0) log({ event: 'witness-untimely', role: 'sequencer', count: untimely.length })
      for (const code of new Set(failed.map((each) => each.code))) {
        const count = failed.filter((each) => each.code === code).length
        log({ event: 'witness-failed', role: 'sequencer', code, count })
      }
    }),
  )
  const cosign = (): Promise<void> => {
    hasNews = false
    return round()
  }
  const cosignSpaced = spaced(cosign, COSIGN_AGAIN_MS, ports.now)
  return {
    cosign: cosignSpaced.now,
    cosignNews: () => (hasNews ? cosignSpaced.now() : cosignSpaced.soon()),
    sequence: coalesce(() =>
      attempt('log-failed', log, async () => {
        for (;;) {
          const { added, more, skipped } = await sequencer.run()
          if (added > 0) hasNews = true
          if (added > 0) log({ event: 'logged', role: 'sequencer', count: added })
          if (skipped.length > 0)
            log({ event: 'log-skips', role: 'sequencer', code: 'STORE_CORRUPT', count: skipped.length })
          if (!more) return
        }
      }),
    ),
  }
}

async function attempt(event: string, log: Log, act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    log({ event, role: 'sequencer', code: isAmpereError(error) ? error.code : 'UNEXPECTED' })
  }
}
