// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { logIdOf } from '#core/api/log.ts'
import { monitoredAnswer, type FindingKind, type MonitoredAnswer } from '#core/api/lookup.ts'
import { AmpereError } from '#core/errors.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { withHome } from '../../deployment/session.ts'
import { readWatched } from '../../monitor/watched.ts'
import type { Call } from '../../program/command.ts'
import { EXIT, type Screen } from '../../terminal/screen.ts'
import { count, counted, localTime } from '../../terminal/words.ts'

/** Says how far this home is with each log that it monitors, and what speaks against one. */
export async function monitorStatus(call: Call): Promise<number> {
  return withHome(
    call,
    () => [],
    async ({ folder, settings, fetch }) => {
      const watched = readWatched(folder)
      const items = await Promise.all(
        watched.map(async ({ origin, url }) => ({
          origin,
          url,
          status: await ask(fetch, settings.origin, origin),
        })),
      )
      const ok = items.every(({ status }) => status === null || standingKinds(status).length === 0)
      const lines = items.map(({ origin, status }) => `${origin}  ${phrase(status, call.screen)}`)
      call.screen.print(
        { ok, items },
        lines.length > 0 ? lines : ['This home monitors no log. Next: npx ampere monitor add URL'],
      )
      return ok ? EXIT.ok : EXIT.verification
    },
    'look',
  )
}

/** Null while nothing of the log was seen yet. */
async function ask(fetch: Fetch, home: string, origin: string): Promise<MonitoredAnswer | null> {
  const answer = await fetch(new Request(new URL(`/v1/lookups/${logIdOf(origin)}`, home)))
  if (answer.status === 404) return null
  if (!answer.ok) throw new AmpereError('UPSTREAM_FAILED', `the home answered ${answer.status}`)
  return v.parse(monitoredAnswer, await answer.json())
}

/** What speaks against a log since the monitor began with it, or began anew. */
function standingKinds({ findings, stopped, begun }: MonitoredAnswer): readonly FindingKind[] {
  const since = findings.filter(({ time }) => begun === null || time >= begun).map(({ kind }) => kind)
  return [...new Set(stopped === null ? since : [...since, stopped])]
}

function phrase(status: MonitoredAnswer | null, screen: Screen): string {
  if (!status) return 'nothing seen yet'
  const { size, cosigned, pending, findings, stopped, begun } = status
  const parts = [
    `${counted(size, 'entry', 'entries')} verified`,
    cosigned === null ? 'none cosigned' : `cosigned up to ${count(cosigned)}`,
    ...(pending === null ? [] : [`copying up to ${count(pending)}`]),
  ]
  const against = standingKinds(status).map((kind) => screen.bad(`FAILED: ${kind}`))
  const earlier = findings.length > 0 && begun !== null ? [`begun anew ${localTime(begun)}`] : []
  const at =
    stopped === null
      ? []
      : [`It has STOPPED at that (${stopped}). What to do: docs/OPERATIONS.md, "After a fork"`]
  return [[...parts, ...earlier].join(', '), ...against, ...at].join('. ')
}
