// SPDX-License-Identifier: Apache-2.0
import { wrapPlatform } from '#adapters/around/calls.ts'
import type { Platform } from '#core/ports/needs.ts'
import { seededRandom } from '#tests/kept-keys.ts'

/** Runs calls one at a time, in an order that a seed decides: every schedule of a seed is the same. */
export function scheduler(seed: number) {
  const random = seededRandom(seed)
  const waiting: (() => Promise<void>)[] = []
  const around = <T>(_: string, act: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      waiting.push(() => act().then(resolve, reject))
    })
  const run = async (actors: readonly Promise<unknown>[]) => {
    const ended = { all: false }
    const all = Promise.allSettled(actors).then((results) => {
      ended.all = true
      return results
    })
    while (!ended.all) {
      // Lets every actor come to its next call.
      await new Promise((resolve) => setImmediate(resolve))
      const [at = 0] = random(1)
      const [next] = waiting.splice(at % Math.max(1, waiting.length), 1)
      await next?.()
    }
    return all
  }
  return { wrap: (platform: Platform) => wrapPlatform(platform, around), run }
}
