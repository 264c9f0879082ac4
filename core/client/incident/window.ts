// SPDX-License-Identifier: Apache-2.0

/** A stretch of time, in milliseconds since 1970: from the first on, before the second; null where it has no end. */
export interface TimeWindow {
  readonly fromMs: number | null
  readonly toMs: number | null
}

/** Whether a time lies in a window. */
export function isWithin({ fromMs, toMs }: TimeWindow, ms: number): boolean {
  return (fromMs === null || ms >= fromMs) && (toMs === null || ms < toMs)
}

/** Whether a stretch of time has something in common with a window; `endMs` null where it goes on. */
export function overlaps({ fromMs, toMs }: TimeWindow, startMs: number, endMs: number | null): boolean {
  return (toMs === null || startMs < toMs) && (fromMs === null || endMs === null || endMs > fromMs)
}
