// SPDX-License-Identifier: Apache-2.0
import { deflateSync, inflateSync } from 'fflate'
import type { ChainId, CompartmentId, EntryId } from '#core/bytes/ids.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { importGcmKey } from '#core/crypto/aead.ts'
import { sha256Large } from '#core/crypto/hash.ts'
import { hkdfExpand } from '#core/crypto/hkdf.ts'
import { openEntry, sealEntry } from '#core/seal/entry.ts'

const ENTRIES = 256
const ROUNDS = 8
const place = (i: number) => ({
  chain: 'c'.repeat(43) as ChainId,
  id: String(i).padStart(22, 'A') as EntryId,
  compartment: 'A'.repeat(22) as CompartmentId,
  dek: new Uint8Array(32).fill(i),
})

/** How fast are 1.5 KB entries sealed and opened, against the same primitives on the same padded bytes? */
export async function benchSeal(): Promise<string[]> {
  const content = utf8(
    JSON.stringify({ text: Array.from({ length: 60 }, (_, i) => `value ${i * 7919} of ${i}`) })
      .padEnd(1500)
      .slice(0, 1500),
  )
  const header = utf8('{"v":1}')
  const sealAll = () =>
    Promise.all(
      Array.from({ length: ENTRIES }, async (_, i) => {
        const sealed = await sealEntry({ ...place(i), salt: new Uint8Array(24).fill(i), header, content })
        await sha256Large(sealed)
        return sealed
      }),
    )
  const sealed = await sealAll()
  const openAll = () => Promise.all(sealed.map((bytes, i) => openEntry(place(i), bytes)))
  const padded = new Uint8Array(4096)
  const floorSeal = () =>
    Promise.all(
      Array.from({ length: ENTRIES }, async (_, i) => {
        deflateSync(content, { level: 6 })
        const key = await importGcmKey(
          hkdfExpand('SHA-512', new Uint8Array(32).fill(i), header, 76).subarray(0, 32),
        )
        await sha256Large(await key.seal(new Uint8Array(12), padded))
      }),
    )
  const deflated = deflateSync(content, { level: 6 })
  const gcm = await importGcmKey(new Uint8Array(32))
  const ciphertext = await gcm.seal(new Uint8Array(12), padded)
  const floorOpen = () =>
    Promise.all(
      Array.from({ length: ENTRIES }, async (_, i) => {
        const key = await importGcmKey(
          hkdfExpand('SHA-512', new Uint8Array(32).fill(i), header, 76).subarray(0, 32),
        )
        await key.seal(new Uint8Array(12), padded)
        inflateSync(deflated)
      }),
    )
  if (ciphertext.length !== 4112) throw new Error('the floor seals other bytes')
  const rows = [await compare('seal', sealAll, floorSeal), await compare('open', openAll, floorOpen)]
  return rows
}

async function compare(
  what: string,
  ours: () => Promise<unknown>,
  floor: () => Promise<unknown>,
): Promise<string> {
  await ours()
  await floor()
  let [a, b] = [0, 0]
  for (let round = 0; round < ROUNDS; round++) {
    a += await time(ours)
    b += await time(floor)
  }
  const rate = (ms: number) => Math.round((ENTRIES * ROUNDS) / (ms / 1000))
  return `${what} 1.5 KB entries: ${rate(a)}/s, the primitives alone ${rate(b)}/s, ratio ${(b / a).toFixed(2)} (goal 0.50)`
}

async function time(act: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await act()
  return performance.now() - started
}
