// SPDX-License-Identifier: Apache-2.0
import { logOriginOf } from '#core/api/log.ts'
import { AmpereError, isAmpereError, type ErrorCode } from '#core/errors.ts'
import type { Policy } from '#core/log/policy/policy.ts'
import { coalesce } from '#core/order/coalesce.ts'
import { spaced } from '#core/order/spaced.ts'
import { createCosigner, type CosignReport } from '#core/server/cosign/cosigner.ts'
import type { Home } from '#core/server/home.ts'
import { mergeFresh, type FreshMarks } from '#core/server/sequence/marks/fresh-marks.ts'
import { createSequencer } from '#core/server/sequence/sequencer.ts'
import { logKeys as logKeysOf } from '#core/server/sequence/tree.ts'
import type { Now } from '#core/ports/keys.ts'
import type { Ports } from '#core/ports/needs.ts'
import type { Hosting } from '../host/app.ts'
import { silentTelemetry, type Log, type LogFields, type Telemetry } from '../host/telemetry.ts'
import type { role } from './role.ts'

/** How often the log is looked after, in milliseconds, where the process stays. */
export const SEQUENCE_MS = 1000

/** Between two rounds that are begun for those who wait while nothing new is logged, in milliseconds. */
export const COSIGN_AGAIN_MS = 1000

/** How long witnesses have to answer the first look, in milliseconds, and as long again to show what they say they have. */
export const FIRST_LOOK_MS = 2000

/** What the log is looked after with. None of these rejects: what fails is said by its code, and tried the next time. */
export interface Sequencing {
  /** Logs all that there is to log, or what lies where marks are said to be new. */
  readonly sequence: (fresh?: FreshMarks | null) => Promise<void>
  /** Has what is published cosigned, where the policy names witnesses. */
  readonly cosign: () => Promise<void>
  /**
   * The same for those who wait, who may be many, and anybody: begins a round when something was logged here since the
   * last one began, or when that is `COSIGN_AGAIN_MS` ago; else it gives the last round, which all share.
   */
  readonly cosignNews: () => Promise<void>
  /** False while logging fails, as far as this process knows. */
  readonly isLogging: () => boolean
  /**
   * Whether witnesses show that these stores are older than what this home signed: from a copy, for one. Whoever signs asks
   * this first, and the first time it asks the witnesses. One that cannot be reached keeps nobody waiting for longer than
   * twice `FIRST_LOOK_MS`, and nothing back: what it saw is found out once it answers.
   * @throws AmpereError STORE_UNAVAILABLE where the own stores did not let it be judged: it is judged again when it is asked again
   */
  readonly isBehind: () => Promise<boolean>
}

/**
 * Whoever calls while something runs gets what the next run does. `policy` is null where nobody witnesses. Rounds are spaced by
 * `now`: what signs may have a clock that refuses to answer.
 */
export function createSequencing(
  ports: Ports<(typeof role)['needs']>,
  home: Home,
  policy: Policy | null,
  { log, now, telemetry = silentTelemetry }: Pick<Hosting, 'log' | 'now' | 'telemetry'>,
): Sequencing {
  const sequencer = createSequencer(ports, home)
  const lag = createLag(now, telemetry)
  const troubles = createTroubles(log)
  const { look, first, isStopped, isBehind } = createLook(ports, home, policy, { log, troubles })
  let hasNews = false
  const round = coalesce(() => telemetry.act('cosign', () => look()))
  const beginRound = async (): Promise<void> => {
    hasNews = false
    await round()
  }
  const cosignSpaced = spaced(beginRound, COSIGN_AGAIN_MS, now)
  return {
    cosign: cosignSpaced.now,
    cosignNews: () => (hasNews ? cosignSpaced.now() : cosignSpaced.soon()),
    isLogging: () => !isStopped() && !troubles.stands('log-failed'),
    isBehind,
    sequence: whereAsked((fresh) =>
      telemetry.act('sequence', async () => {
        const failure = await attempt('log-failed', troubles, async () => {
          await first()
          for (;;) {
            if (isStopped()) return
            const { added, more, skipped, oldestMs } = await sequencer.run(fresh)
            if (added > 0) hasNews = true
            if (added > 0) log({ event: 'logged', role: 'sequencer', count: added })
            const count = skipped.length
            troubles.say('log-skips', count > 0 && { code: 'STORE_CORRUPT', count })
            telemetry.amount('log.blocks', added)
            telemetry.amount('log.skipped', count)
            lag.ran(oldestMs)
            if (!more) return
          }
        })
        if (failure !== null || isStopped()) lag.failed()
        return failure === null
      }),
    ),
  }
}

/**
 * Lets `act` run once at a time, where all who asked for the run say: one who asks for all shards has all of them looked at. What was
 * asked for is not forgotten when it fails: then the next run looks everywhere.
 */
function whereAsked(act: (fresh: FreshMarks | null) => Promise<boolean>) {
  let asked: FreshMarks | null = NOWHERE
  const run = coalesce(async () => {
    const where = asked
    asked = NOWHERE
    if (!(await act(where))) asked = null
  })
  return async (fresh: FreshMarks | null = null): Promise<void> => {
    asked = mergeFresh(asked, fresh)
    await run()
  }
}

const NOWHERE: FreshMarks = new Map()

/** Says how far logging is behind: by the oldest block of each run, or, where none comes to its end, since the last that did. */
function createLag(now: Now, { amount }: Telemetry) {
  let endedMs = now()
  const sinceMs = (ms: number) => Math.max(0, now() - ms)
  return {
    ran: (oldestMs: number | null) => {
      amount('log.lag', oldestMs === null ? 0 : sinceMs(oldestMs))
      endedMs = now()
    },
    failed: () => amount('log.lag', sinceMs(endedMs)),
  }
}

/** The same for a home that is only looked at: it asks what witnesses saw, because it signs what it answers, and writes nothing. */
export function createLooking(
  ports: Ports<(typeof role)['needs']>,
  home: Home,
  policy: Policy | null,
  { log }: Pick<Hosting, 'log'>,
): Sequencing {
  const looking = { log, troubles: createTroubles(log), looksOnly: true }
  const { isStopped, isBehind } = createLook(ports, home, policy, looking)
  return { sequence: nothing, cosign: nothing, cosignNews: nothing, isLogging: () => !isStopped(), isBehind }
}

const nothing = async () => {}

/** A round among the witnesses, the first of them, and what the last one that could judge it found. */
function createLook(
  ports: Ports<(typeof role)['needs']>,
  home: Home,
  policy: Policy | null,
  {
    log,
    troubles,
    looksOnly = false,
  }: { readonly log: Log; readonly troubles: Troubles; readonly looksOnly?: boolean },
) {
  const logKeys = logKeysOf(ports, logOriginOf(home.origin))
  const cosigner = policy && createCosigner(ports, home, policy, { looksOnly, logKeys })
  const look = (withinMs?: number): Promise<Failure> =>
    attempt('cosign-failed', troubles, async () => {
      const report = await cosigner?.run(withinMs)
      if (report) sayCosigned(report, troubles, log)
    })
  const first = shared(async () => {
    if (!cosigner || cosigner.hasLooked()) return
    const failure = await look(FIRST_LOOK_MS)
    // While the clock has leapt nothing is signed anyway.
    if (cosigner.hasLooked() || failure === 'CLOCK_SKEW') return
    throw new AmpereError('STORE_UNAVAILABLE', 'what witnesses saw could not be held against the stores')
  })
  const isStopped = () => cosigner?.isBehind() ?? false
  const isBehind = async () => {
    await first()
    return isStopped()
  }
  return { look, first, isStopped, isBehind }
}

/** Whoever calls while it runs shares what comes of it. */
function shared(act: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null
  const end = () => {
    running = null
  }
  return () => (running ??= act().finally(end))
}

function sayCosigned({ failed, untimely, ahead, behind }: CosignReport, troubles: Troubles, log: Log): void {
  const sayOnce = (event: string, wrong: Parameters<Troubles['say']>[1]) => {
    if (wrong === false || !troubles.stands(event)) troubles.say(event, wrong)
  }
  if (untimely.length > 0) log({ event: 'witness-untimely', role: 'sequencer', count: untimely.length })
  for (const code of new Set(failed.map((each) => each.code))) {
    const count = failed.filter((each) => each.code === code).length
    log({ event: 'witness-failed', role: 'sequencer', code, count })
  }
  sayOnce('witness-ahead', ahead.length > 0 && { code: 'STORE_CORRUPT', count: ahead.length })
  sayOnce('log-behind', behind && { code: 'STORE_CORRUPT' })
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

/** Why something failed; null where it did not. */
type Failure = ErrorCode | 'UNEXPECTED' | null

async function attempt(event: string, troubles: Troubles, act: () => Promise<void>): Promise<Failure> {
  try {
    await act()
    troubles.say(event, false)
    return null
  } catch (error) {
    const code = isAmpereError(error) ? error.code : 'UNEXPECTED'
    troubles.say(event, { code })
    return code
  }
}
