// SPDX-License-Identifier: Apache-2.0
import type { AzureSettings } from './settings.ts'

/** What is looked for in what roles say (functions/host/telemetry.ts): a row is a fault. */
interface Fault {
  readonly name: string
  /** The role without which there is no such fault. */
  readonly role: string | null
  readonly query: string
}

/** A rule that searches logs for several faults, and tells of each by itself: one fault that stands hides no other. */
export interface Search {
  readonly name: string
  readonly says: string
  readonly minutes: number
  readonly faults: readonly Fault[]
}

/**
 * How often logs are searched, in minutes: a rule that does each 5 costs three times as much, and each fault beyond the first of a
 * rule a tenth of a rule. What answers requests has an alarm on a metric beside, within 5 minutes. No window may be shorter, or what
 * falls between two would be missed.
 */
export const SEARCH_MINUTES = 15
/** Lines are JSON, one each, that the host takes from standard output. */
const EVENTS = 'AppTraces | extend line = parse_json(Message) | where tostring(line.event)'
const SEARCHES: readonly Search[] = [
  {
    name: 'faults',
    says: "failures: a function ended with an error. log-failing: the log is not written, leaves blocks out, or is behind what witnesses saw. others-failing: witnesses did not cosign, a home was not copied, or the registry's home was not seen or owes a revocation, for a quarter of an hour. damage: an audit found damage, something speaks against a log that is monitored, or the registry has two histories",
    minutes: SEARCH_MINUTES,
    faults: [
      {
        name: 'failures',
        role: null,
        query: 'AppRequests | where Success == false and toint(ResultCode) !between (400 .. 499)',
      },
      {
        name: 'log-failing',
        role: 'sequencer',
        query: `${EVENTS} in ('log-failed', 'log-skips', 'log-behind', 'witness-ahead')`,
      },
      {
        name: 'others-failing',
        role: 'sequencer',
        query: everyFiveMinutes([
          'cosign-failed',
          'witness-failed',
          'mirror-failed',
          'mirror-problems',
          'registry-unseen',
          'revocation-overdue',
        ]),
      },
      {
        name: 'damage',
        role: 'auditor',
        query: `${EVENTS} in ('log-damaged', 'registry-forked') or (line.role == 'monitor' and line.code == 'VERIFICATION_FAILED')`,
      },
    ],
  },
  {
    name: 'silence',
    says: 'sequencer-silent: its schedule did not call the sequencer for a quarter of an hour. audit-age: no audit of the log ended well for three hours',
    minutes: 180,
    faults: [
      {
        name: 'sequencer-silent',
        role: 'sequencer',
        // Not its change feed: only the schedule looks at all marks.
        query: none(`AppRequests | where TimeGenerated > ago(15m) and OperationName == 'sequencer-schedule'`),
      },
      { name: 'audit-age', role: 'auditor', query: none(`${EVENTS} == 'log-audited'`) },
    ],
  },
]

/** A row where these were said in each of the three five minutes of a quarter of an hour: others' servers are restarted. */
function everyFiveMinutes(events: readonly string[]): string {
  const named = events.map((event) => `'${event}'`).join(', ')
  return `${EVENTS} in (${named}) | summarize parts = dcount(bin(TimeGenerated, 5m)) | where parts >= 3`
}

/** A row where there is none. */
function none(query: string): string {
  return `${query} | summarize seen = count() | where seen == 0`
}

/** What logs are searched for, of the roles that are there. */
export function searchesOf({ identities }: AzureSettings): readonly Search[] {
  const isHere = (role: string | null) => role === null || identities.some(({ name }) => name === role)
  return SEARCHES.map((one) => ({ ...one, faults: one.faults.filter(({ role }) => isHere(role)) })).filter(
    ({ faults }) => faults.length > 0,
  )
}

/** A query of all faults, each row with the name of its fault. */
export function queryOf({ faults }: Search): string {
  return `union ${faults.map(({ query, name }) => `(${query} | project fault = '${name}')`).join(', ')}`
}
