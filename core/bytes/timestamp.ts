// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '../errors.ts'

const SHAPE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/

/** RFC 3339 UTC with exactly three decimals, for example `2026-11-23T14:05:00.000Z`. */
export type Timestamp = string & { readonly timestamp: unique symbol }

/** The timestamp of a count of milliseconds since 1970 UTC. */
export function toTimestamp(epochMs: number): Timestamp {
  return new Date(epochMs).toISOString() as Timestamp
}

/** Strict parse to milliseconds since 1970 UTC; one instant has one spelling. @throws ENCODING_MALFORMED */
export function timestampMs(text: string): number {
  const ms = SHAPE.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms) || !isSameDay(ms, text)) {
    throw new AmpereError('ENCODING_MALFORMED', 'time is not RFC 3339 UTC with milliseconds')
  }
  return ms
}

/** Date.parse takes 30 February and 24:00 as times of the next day; nothing else of that shape moves. */
function isSameDay(ms: number, text: string): boolean {
  return new Date(ms).getUTCDate() === Number(text.slice(8, 10))
}

/** Whether `a` is an earlier instant than `b`: of checked timestamps the order of text is that of time. */
export function isBefore(a: Timestamp, b: Timestamp): boolean {
  return a < b
}
