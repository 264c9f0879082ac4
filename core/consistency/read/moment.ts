// SPDX-License-Identifier: Apache-2.0

/**
 * A stated time with its precision: it lies somewhere from `from` to `to` (ms since 1970, both included).
 * Two moments are compared only where the answer holds for every instant in both.
 */
export interface Moment {
  readonly text: string
  readonly from: number
  readonly to: number
  /** True when an instant is stated: date, time and zone. */
  readonly exact: boolean
}

const HOUR = 3_600_000
export const DAY = 24 * HOUR
/** A calendar day begins first at UTC+14 and ends last at UTC-12. */
const EARLIEST_ZONE = 14 * HOUR
const LATEST_ZONE = 12 * HOUR

const SHAPE = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/

/** The moment of a FHIR date, dateTime or instant; null when it is none. */
export function momentOf(value: unknown): Moment | null {
  if (typeof value !== 'string') return null
  const parts = SHAPE.exec(value)
  if (!parts) return null
  const [, year, month, day, hour, minute, second, fraction, zone] = parts
  if (hour === undefined) return ofCalendar(value, Number(year), month, day)
  const base = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second ?? 0),
  )
  const ms = base + (fraction === undefined ? 0 : Math.floor(Number(fraction) * 1000))
  const width = fraction !== undefined ? 0 : second !== undefined ? 999 : 59_999
  if (zone === undefined)
    return { text: value, from: ms - EARLIEST_ZONE, to: ms + LATEST_ZONE + width, exact: false }
  const at = ms - offsetOf(zone)
  return { text: value, from: at, to: at + width, exact: true }
}

/** True when the first certainly ended before the second began. Two dates without a zone are compared as calendar dates. */
export function isBefore(a: Moment, b: Moment, slackMs = 0): boolean {
  const margin = a.exact || b.exact ? 0 : EARLIEST_ZONE + LATEST_ZONE
  return a.to + slackMs - margin < b.from
}

/** The calendar day as it was written, in the zone of whoever wrote it; null when it is coarser than a day. */
export function dayOf(moment: Moment): string | null {
  return moment.text.length >= 10 ? moment.text.slice(0, 10) : null
}

/** Whole days between two calendar days as written. */
export function daysBetween(a: string, b: string): number {
  return Math.round(Math.abs(Date.parse(a) - Date.parse(b)) / DAY)
}

function ofCalendar(text: string, year: number, month?: string, day?: string): Moment {
  const m = month === undefined ? 0 : Number(month) - 1
  const start = Date.UTC(year, m, day === undefined ? 1 : Number(day))
  const end =
    day !== undefined
      ? start + DAY
      : month !== undefined
        ? Date.UTC(year, m + 1, 1)
        : Date.UTC(year + 1, 0, 1)
  return { text, from: start - EARLIEST_ZONE, to: end + LATEST_ZONE - 1, exact: false }
}

function offsetOf(zone: string): number {
  if (zone === 'Z') return 0
  const ms = (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6))) * 60_000
  return zone.startsWith('-') ? -ms : ms
}
