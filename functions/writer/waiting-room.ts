// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '#core/bytes/ids.ts'

/** How many requests of one process may wait at a time, in all and about one chain. */
export interface Places {
  readonly all: number
  readonly perChain: number
}

/** For who just appended a block. */
export const PLACES: Places = { all: 256, perChain: 8 }
/** For who sent a stored block again: anybody can who has an old export, and takes nobody else's place. */
export const PLACES_AGAIN: Places = { all: 64, perChain: 4 }

/** Counts those who wait. */
export class WaitingRoom {
  readonly #places: Places
  readonly #byChain = new Map<ChainId, number>()
  #all = 0

  constructor(places: Places) {
    this.#places = places
  }

  /** Does `act` for who waits about a chain; null at once, without `act`, where too many wait already. */
  async enter<T>(chain: ChainId, act: () => Promise<T>): Promise<T | null> {
    const here = this.#byChain.get(chain) ?? 0
    if (this.#all >= this.#places.all || here >= this.#places.perChain) return null
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
