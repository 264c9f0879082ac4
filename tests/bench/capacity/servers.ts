// SPDX-License-Identifier: Apache-2.0

/** A generator of numbers from 0 to 1 that a seed determines (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * Something that does so many units in each second; what does not fit into one waits for the next that has room. Whoever asks
 * for an earlier time than somebody before is not behind them. Times are in milliseconds; an infinite rate keeps nobody waiting.
 */
export class RateServer {
  readonly perSecond: number
  /** Units that were asked for. */
  asked = 0
  readonly #used: number[] = []
  /** For a second that is full, one that may not be. */
  readonly #next = new Map<number, number>()

  constructor(perSecond: number) {
    this.perSecond = perSecond
  }

  /** When `units` that are asked for at `atMs` are done. */
  serve(atMs: number, units: number): number {
    this.asked += units
    if (this.perSecond === Infinity) return atMs
    let left = units
    let second = this.#free(Math.floor(atMs / 1000))
    for (;;) {
      const used = this.#used[second] ?? 0
      const taken = Math.min(left, this.perSecond - used)
      this.#used[second] = used + taken
      left -= taken
      if (left <= 1e-9) return Math.max(atMs, second * 1000)
      this.#next.set(second, second + 1)
      second = this.#free(second + 1)
    }
  }

  #free(second: number): number {
    let found = second
    for (let next = this.#next.get(found); next !== undefined; next = this.#next.get(found)) found = next
    // The whole way is made shorter, so that a queue of an hour is not walked for each who joins it.
    if (found > second) this.#next.set(second, found)
    return found
  }
}

/** So many at once, and all others wait for one of them to end. */
export class Slots {
  readonly count: number
  /** Milliseconds that all of them were taken for together. */
  takenMs = 0
  readonly #ends: number[] = []

  constructor(count: number) {
    this.count = count
  }

  /** When one that comes at `atMs` begins; `lastsMs` says how long it takes from then on. */
  take(atMs: number, lastsMs: (beginsMs: number) => number): number {
    const begins = this.#ends.length < this.count ? atMs : Math.max(atMs, this.#pop())
    const ends = begins + lastsMs(begins)
    this.takenMs += ends - begins
    if (this.count !== Infinity) this.#push(ends)
    return ends
  }

  #push(end: number): void {
    const heap = this.#ends
    let at = heap.push(end) - 1
    while (at > 0) {
      const up = (at - 1) >> 1
      if ((heap[up] ?? 0) <= end) break
      heap[at] = heap[up] ?? 0
      at = up
    }
    heap[at] = end
  }

  #pop(): number {
    const heap = this.#ends
    const [first = 0] = heap
    const last = heap.pop() ?? 0
    if (heap.length === 0) return first
    let at = 0
    for (;;) {
      let next = 2 * at + 1
      if (next >= heap.length) break
      if ((heap[next + 1] ?? Infinity) < (heap[next] ?? Infinity)) next += 1
      if ((heap[next] ?? Infinity) >= last) break
      heap[at] = heap[next] ?? 0
      at = next
    }
    heap[at] = last
    return first
  }
}
