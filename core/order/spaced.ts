// SPDX-License-Identifier: Apache-2.0

/** Two ways to have something run. */
export interface Spaced<T> {
  /** Begins a run. */
  readonly now: () => Promise<T>
  /** Begins one unless the last, however it was begun, began less than the pause ago: then it gives that one's answer. */
  readonly soon: () => Promise<T>
}

/** Lets many who ask again and again share runs of `act` that begin at least `everyMs` apart, by the clock `now` in ms. */
export function spaced<T>(act: () => Promise<T>, everyMs: number, now: () => number): Spaced<T> {
  let last: { readonly atMs: number; readonly run: Promise<T> } | null = null
  const begin = (): Promise<T> => {
    last = { atMs: now(), run: act() }
    return last.run
  }
  return {
    now: begin,
    soon: () => {
      const agoMs = last ? now() - last.atMs : Infinity
      // Before the last one is only a clock that was set back.
      return last && agoMs >= 0 && agoMs < everyMs ? last.run : begin()
    },
  }
}
