// SPDX-License-Identifier: Apache-2.0

/** How long a witness is left alone after it failed once, in milliseconds; each failure that follows doubles it. */
export const FIRST_REST_MS = 1_000
/** The longest that one is left alone, in milliseconds: so long after it is back its cosignatures may be missing. */
export const MAX_REST_MS = 5 * 60_000

interface Rest {
  readonly failures: number
  readonly untilMs: number
  /** The note that it did answer, so that only this one need not be sent again; null when it failed altogether. */
  readonly answered: string | null
}

/** Which witnesses are left alone for a while, by URL; in memory only, because asking once more does no harm. */
export class Rests {
  readonly #rests = new Map<string, Rest>()

  /** Whether `url` is left alone at `nowMs` with a note of this text. */
  isResting(url: string, text: string, nowMs: number): boolean {
    const rest = this.#rests.get(url)
    if (!rest || (rest.answered !== null && rest.answered !== text)) return false
    const leftMs = rest.untilMs - nowMs
    // More is left than there ever is only when the clock was set back.
    return leftMs > 0 && leftMs <= MAX_REST_MS
  }

  /** It gave what it was asked for. */
  end(url: string): void {
    this.#rests.delete(url)
  }

  /** It gave nothing: whatever is to be cosigned next waits too. */
  afterFailure(url: string, nowMs: number): void {
    this.#begin(url, nowMs, null)
  }

  /** It did cosign, and asking again for the same now would give no more. */
  afterAnswer(url: string, text: string, nowMs: number): void {
    this.#begin(url, nowMs, text)
  }

  #begin(url: string, nowMs: number, answered: string | null): void {
    const failures = (this.#rests.get(url)?.failures ?? 0) + 1
    const restMs = Math.min(FIRST_REST_MS * 2 ** (failures - 1), MAX_REST_MS)
    this.#rests.set(url, { failures, untilMs: nowMs + restMs, answered })
  }
}
