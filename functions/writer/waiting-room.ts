// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '#core/bytes/ids.ts'

/** Requests of one process that may wait for the log at a time. */
export const MAX_WAITING = 256
/** Requests about one chain of these: whoever has a block of it, from an old export too, may wait. */
export const MAX_WAITING_PER_CHAIN = 8

/** Counts those who wait. */
export class WaitingRoom {
  readonly #byChain = new Map<ChainId, number>()
  #all = 0

  /** Does `act` for who waits about a chain; null at once, without `act`, where too many wait already. */
  async enter<T>(chain: ChainId, act: () => Promise<T>): Promise<T | null> {
    const here = this.#byChain.get(chain) ?? 0
    if (this.#all >= MAX_WAITING || here >= MAX_WAITING_PER_CHAIN) return null
    this.#all++
    this.#byChain.set(chain, here + 1)
    try {
      return await act()
    } finally {
      this.#all--
      const left = (this.#byChain.get(chain) ?? 1) - 1
      if (left > 0) this.#byChain.set(chain, left)
      else this.#byChain.delete(chain)
    }
  }
}
