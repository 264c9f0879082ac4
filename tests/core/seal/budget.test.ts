// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { deflateSync } from 'fflate'
import { utf8 } from '#core/bytes/encoding.ts'
import { concat, frame, uint32 } from '#core/bytes/frame.ts'
import type { ChainId, CompartmentId, EntryId } from '#core/bytes/ids.ts'
import { groupByWeight, mostOpened, openWithin } from '#core/seal/budget.ts'
import { encryptChunked, sealedBytes } from '#core/seal/chunked.ts'
import { MAX_INFLATION, openEntry, sealEntry } from '#core/seal/entry.ts'
import { MIN_PADDED_BYTES, pad } from '#core/seal/padding.ts'
import { seededRandom } from '#tests/deployment.ts'

const FAILED = { code: 'OPEN_FAILED', message: 'sealed bytes do not open' }
const random = seededRandom(23)
const place = {
  chain: 'c'.repeat(43) as ChainId,
  id: 'e'.repeat(22) as EntryId,
  compartment: 'A'.repeat(22) as CompartmentId,
  dek: random(32),
}
const context = frame('ampere-entry/v1', place.chain, place.id, place.compartment)
const seal = (content: Uint8Array) => sealEntry({ ...place, salt: random(24), header: utf8('{}'), content })
/** A deflated entry of so many plain bytes, whatever a writer should do. */
const sealDeflated = (plain: Uint8Array) =>
  encryptChunked(place.dek, random(24), context, pad(concat(new Uint8Array([1]), deflateSync(plain))))
const plainOf = (bytes: number) => concat(uint32(0), new Uint8Array(bytes - 4))

describe('inflation', () => {
  it('goes to 64 times the padded body, and not a byte further', async () => {
    const most = MAX_INFLATION * MIN_PADDED_BYTES
    const opened = await openEntry(place, await sealDeflated(plainOf(most)))
    expect(opened.content.length).toBe(most - 4)
    await expect(openEntry(place, await sealDeflated(plainOf(most + 1)))).rejects.toMatchObject(FAILED)
    await expect(openEntry(place, await sealDeflated(plainOf(100 * most)))).rejects.toMatchObject(FAILED)
  })

  it('is never beyond that in what a writer seals: such an entry is stored as it is', async () => {
    // The last is about as compressible as what is deflated may be.
    for (const [length, noise] of [
      [MAX_INFLATION * MIN_PADDED_BYTES - 6, 0],
      [MAX_INFLATION * MIN_PADDED_BYTES - 5, 0],
      [3_000_000, 0],
      [3_000_000, 40_000],
      [3_000_000, 50_000],
    ] as const) {
      const content = concat(random(noise), new Uint8Array(length - noise))
      const sealed = await seal(content)
      expect(Buffer.compare((await openEntry(place, sealed)).content, content)).toBe(0)
      expect(mostOpened(sealed.length)).toBeGreaterThanOrEqual(length)
    }
    expect((await seal(new Uint8Array(300_000))).length).toBeGreaterThan(300_000)
    expect((await seal(new Uint8Array(200_000))).length).toBe(sealedBytes(MIN_PADDED_BYTES))
  })

  it('stops at what its caller can hold, which says nothing of the entry', async () => {
    const tooLarge = { code: 'TOO_LARGE', message: 'an entry is larger than 999 bytes' }
    for (const content of [random(1000), new Uint8Array(1000), new Uint8Array(200_000)]) {
      const sealed = await seal(content)
      await expect(openEntry(place, sealed, 999)).rejects.toMatchObject(tooLarge)
      expect((await openEntry(place, sealed, content.length + 6)).content.length).toBe(content.length)
      await expect(openEntry(place, sealed, content.length + 5)).rejects.toMatchObject({ code: 'TOO_LARGE' })
    }
  })
})

describe('a budget', () => {
  const items = fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 40 })

  it('is kept, in order: what does not fit is left out, what fits after it is not', async () => {
    await fc.assert(
      fc.asyncProperty(items, fc.integer({ min: 0, max: 500 }), async (sizes, budget) => {
        const results = await openWithin(sizes, budget, {
          sealedBytes: (size) => size * 300_000,
          open: async (size, left) => (size > left ? null : { size }),
          plainBytes: ({ size }) => size,
        })
        let left = budget
        for (const [i, size] of sizes.entries()) {
          expect(results[i]?.size ?? null).toBe(size <= left ? size : null)
          if (size <= left) left -= size
        }
      }),
    )
  })

  it('bounds what is opened side by side, and opens small entries together', async () => {
    const side = async (count: number, sealed: number) => {
      let [open, peak] = [0, 0]
      await openWithin(Array.from({ length: count }), 1, {
        sealedBytes: () => sealed,
        open: async () => {
          peak = Math.max(peak, ++open)
          await Promise.resolve()
          open--
          return null
        },
        plainBytes: () => 0,
      })
      return peak
    }
    expect(await side(200, 4168)).toBe(200)
    expect(await side(200, 100_000)).toBe(10)
    expect(await side(200, 10_000_000)).toBe(1)
  })

  it('keeps groups in order, light and short', () => {
    fc.assert(
      fc.property(items, fc.nat(300), fc.integer({ min: 1, max: 9 }), (weights, budget, most) => {
        const groups = groupByWeight(weights, (weight) => weight, budget, most)
        expect(groups.flat()).toEqual(weights)
        for (const group of groups) {
          expect(group.length).toBeLessThanOrEqual(most)
          const weight = group.reduce((sum, item) => sum + item, 0)
          expect(group.length === 1 || weight <= budget).toBe(true)
        }
      }),
    )
  })
})
