// SPDX-License-Identifier: Apache-2.0
import type { Provider } from '#infra/bundle/bundle.ts'
import { IDLE_CALLS } from './idle-calls.ts'
import { costOf, pricesOf, totalOf, type Amount, type Cost } from './prices.ts'
import { UNITS } from './units.ts'

/** What of a template costs money while nobody uses it. */
export interface TemplateFacts {
  /** Functions that a schedule calls. */
  readonly scheduled: readonly Scheduled[]
  /** Alarms that watch a metric, one each. */
  readonly alarms: number
  /** Of each alarm that searches logs, how often it does, in minutes. */
  readonly queryAlarms: readonly number[]
  /** What those alarms tell of beyond the first of each. */
  readonly querySeries: number
  /** Metrics of our own. */
  readonly metrics: number
  /** Keys that the key service holds. */
  readonly keys: number
  /** Tables whose changes a host looks for itself, by the milliseconds between two looks; where the provider does that for nothing, none. */
  readonly polledMs: readonly number[]
}

export interface Scheduled {
  readonly role: string
  readonly memoryMb: number
  readonly callsPerHour: number
}

/** What a deployment costs in a month in which nobody uses it, in USD. */
export interface IdleCost {
  readonly provider: Provider
  readonly region: string
  /** When its prices were looked up. */
  readonly found: string
  readonly lines: readonly Cost[]
  /** Of all lines but keys; and what is left of it where the account has its free amounts for itself. */
  readonly usd: number
  readonly beyondFreeUsd: number
  readonly keysUsd: number
  /** Prices for which no page was found. */
  readonly unverified: readonly string[]
}

const HOURS = 730
const MINUTE_MS = 60_000
/** How long a scheduled call with nothing to do is billed for, in milliseconds: assumed for Lambda; the least that Flex Consumption counts, from memory. */
export const BILLED_MS: Readonly<Record<Provider, number>> = { aws: 500, azure: 1000 }
/** Bytes that a platform logs of each call by itself: assumed. */
export const CALL_LOG_BYTES: Readonly<Record<Provider, number>> = { aws: 500, azure: 2000 }
/** Of one look at a change feed that has nothing, in request units: assumed. */
const POLL_UNITS = 1
/** The largest row that is read while nothing happens, the committed tree, in bytes. */
const IDLE_ROW_BYTES = 4096
const GB = 1e9
/** DynamoDB asks KMS for a table's key once in so many minutes for each caller (DynamoDB encryption at rest, how it works). */
const TABLE_KEY_MINUTES = 5

/**
 * What a deployment costs in a month in which nobody uses it, from its template and what its roles then do. Not in it: what is
 * stored, which is next to nothing while nobody writes; calls of the key service when a process begins; what Azure's host asks of its
 * own storage account.
 */
export function idleCost(provider: Provider, facts: TemplateFacts): IdleCost {
  const all = [...functionLines(provider, facts), ...watching(provider, facts)].filter(
    ({ amount }) => amount > 0,
  )
  const costs = all.map((amount) => costOf(provider, amount))
  const key = costOf(provider, { what: 'keys', price: 'key', amount: facts.keys })
  const { region, found, prices } = pricesOf(provider)
  const total = totalOf(provider, costs)
  return {
    provider,
    region,
    found,
    lines: [...costs, key],
    ...total,
    keysUsd: key.usd,
    unverified: [
      ...new Set([...costs, key].flatMap(({ price }) => (prices[price]?.source === null ? [price] : []))),
    ],
  }
}

function functionLines(provider: Provider, { scheduled }: TemplateFacts): readonly Amount[] {
  const monthly = scheduled.map((one) => ({ ...one, calls: one.callsPerHour * HOURS }))
  const sum = (of: (one: (typeof monthly)[number]) => number) =>
    monthly.reduce((all, one) => all + of(one), 0)
  const calls = sum((one) => one.calls)
  return [
    { what: 'scheduled calls of functions', price: 'functionCalls', amount: calls },
    {
      what: 'memory while they run',
      price: 'functionGbSeconds',
      amount: sum(({ calls: n, memoryMb }) => (n * memoryMb * BILLED_MS[provider]) / 1024 / 1000),
    },
    ...tableLines(provider, (of) => sum(({ role, calls: n }) => n * of(role))),
    { what: 'objects read', price: 'objectReads', amount: sum(({ role, calls: n }) => n * idle(role).fetch) },
    { what: 'logs of calls', price: 'logs', amount: (calls * CALL_LOG_BYTES[provider]) / GB },
    ...(provider === 'aws'
      ? [
          {
            what: 'table keys that KMS is asked for',
            price: 'keyCalls' as const,
            amount: sum(
              ({ role, callsPerHour }) =>
                idle(role).tables * HOURS * Math.min(callsPerHour, 60 / TABLE_KEY_MINUTES),
            ),
          },
        ]
      : []),
  ]
}

function tableLines(
  provider: Provider,
  perMonth: (of: (role: string) => number) => number,
): readonly Amount[] {
  const { read, query, write, isShared } = UNITS[provider]
  const reads = perMonth((role) => idle(role).get * read(IDLE_ROW_BYTES) + idle(role).range * query(0))
  const writes = perMonth((role) => idle(role).write * write(0))
  return isShared
    ? [{ what: 'tables read and written', price: 'tableUnits', amount: reads + writes }]
    : [
        { what: 'tables read', price: 'tableReads', amount: reads },
        { what: 'tables written', price: 'tableWrites', amount: writes },
      ]
}

function watching(provider: Provider, facts: TemplateFacts): readonly Amount[] {
  const { alarms, queryAlarms, querySeries, metrics, polledMs } = facts
  const often = queryAlarms.filter((minutes) => minutes < 15).length
  const looks = polledMs.reduce((all, ms) => all + (HOURS * 60 * MINUTE_MS) / ms, 0)
  const lines: readonly Amount[] = [
    { what: 'alarms on metrics', price: 'alarm', amount: alarms },
    { what: 'alarms that search logs each 5 minutes', price: 'queryAlarm5', amount: often },
    {
      what: 'alarms that search logs each 15 minutes',
      price: 'queryAlarm15',
      amount: queryAlarms.length - often,
    },
    { what: 'more that those tell of', price: 'querySeries15', amount: querySeries },
    { what: 'metrics of our own', price: 'metric', amount: metrics },
    { what: 'looks at change feeds', price: 'tableUnits', amount: looks * POLL_UNITS },
  ]
  return lines.filter(({ price }) => price in pricesOf(provider).prices)
}

/** A role that is not of a home has no schedule that was measured. */
function idle(role: string): (typeof IDLE_CALLS)[string] {
  return IDLE_CALLS[role] ?? { get: 0, range: 0, write: 0, fetch: 0, store: 0, tables: 0 }
}

/** A cost as lines for people. */
export function idleCostLines(cost: IdleCost): readonly string[] {
  return [
    `  costs   about ${cost.usd.toFixed(2)} USD a month while idle, ${cost.beyondFreeUsd.toFixed(2)} where free amounts are not used up, and ${cost.keysUsd.toFixed(2)} USD for keys (prices of ${cost.region}, looked up ${cost.found}; an estimate, docs/COST.md)`,
    ...cost.lines
      .filter((line) => line.usd >= 0.005)
      .toSorted((a, b) => b.usd - a.usd)
      .map(
        ({ what, usd: value, isVerified }) =>
          `          ${value.toFixed(2).padStart(6)} USD  ${what}${isVerified ? '' : ' [price not verified]'}`,
      ),
  ]
}
