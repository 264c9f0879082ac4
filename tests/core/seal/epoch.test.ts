// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { canonicalBytes } from '#core/bytes/canonical-json.ts'
import { toBase64url, utf8 } from '#core/bytes/encoding.ts'
import { concat, frame } from '#core/bytes/frame.ts'
import type { ChainId, CompartmentId } from '#core/bytes/ids.ts'
import { hpkeSeal, sealingPublicKey } from '#core/crypto/hpke.ts'
import { newEpoch, openHistory, openPackage, sealHistory, sealPackage } from '#core/seal/epoch.ts'
import { seededRandom } from '#tests/deployment.ts'

const FAILED = { code: 'OPEN_FAILED', message: 'sealed bytes do not open' }
const random = seededRandom(31)
const chain = toBase64url(random(32)) as ChainId
const [a, b] = [toBase64url(random(16)), toBase64url(random(16))].toSorted() as [CompartmentId, CompartmentId]

describe('an epoch package', () => {
  const readerSeed = random(32)
  const at = { chain, epoch: 9, reader: 'hospital-a' }
  const names = [
    { id: a, name: 'general' },
    { id: b, name: 'mental health' },
  ]
  const readerKey = sealingPublicKey(readerSeed)
  const fresh = async () => {
    const epoch = await newEpoch({ compartments: names, random })
    const contents = {
      compartments: epoch.map(({ id, name, seed }) => ({ id, name, seed })),
      labelKey: random(32),
    }
    return { contents, publicKeys: epoch.map(({ id, publicKey }) => ({ id, publicKey })) }
  }

  it('gives its reader seeds, names and label key, and opens in no other chain, epoch or reader', async () => {
    const { contents, publicKeys } = await fresh()
    const sealed = await sealPackage({ ...at, readerKey, contents })
    const given = { ...at, seed: readerSeed, sealed, publicKeys }
    expect(await openPackage(given)).toEqual(contents)
    const elsewhere = [
      { chain: toBase64url(random(32)) as ChainId },
      { epoch: 10 },
      { reader: 'hospital-b' },
      { seed: random(32) },
      { sealed: sealed.subarray(1) },
    ]
    for (const change of elsewhere)
      await expect(openPackage({ ...given, ...change })).rejects.toMatchObject(FAILED)
  })

  it('with seeds that are not those of the chain keys is refused: two readers cannot be shown two things', async () => {
    const [mine, theirs] = [await fresh(), await fresh()]
    const sealed = await sealPackage({ ...at, readerKey, contents: mine.contents })
    const given = { ...at, seed: readerSeed, sealed }
    await expect(openPackage({ ...given, publicKeys: theirs.publicKeys })).rejects.toMatchObject(FAILED)
    const oneWrong = [...mine.publicKeys.slice(0, 1), ...theirs.publicKeys.slice(1)]
    await expect(openPackage({ ...given, publicKeys: oneWrong })).rejects.toMatchObject(FAILED)
    await expect(openPackage({ ...given, publicKeys: mine.publicKeys.slice(0, 1) })).rejects.toMatchObject(
      FAILED,
    )
    const swapped = mine.publicKeys.map(({ id }, i) => ({
      id,
      publicKey: mine.publicKeys[1 - i]?.publicKey ?? random(1216),
    }))
    await expect(openPackage({ ...given, publicKeys: swapped })).rejects.toMatchObject(FAILED)
  })

  it('whose plaintext is malformed fails like any other', async () => {
    const { contents, publicKeys } = await fresh()
    const [first] = contents.compartments
    const plain = (seed: unknown) => ({
      v: 1,
      compartments: [{ id: a, name: 'n', seed }],
      labelKey: toBase64url(contents.labelKey),
    })
    const good = toBase64url(first?.seed ?? random(32))
    const texts = [
      canonicalBytes(plain(good.slice(1))),
      canonicalBytes({ ...plain(good), v: 2 }),
      canonicalBytes({ ...plain(good), more: 1 }),
      canonicalBytes({
        ...plain(good),
        compartments: [plain(good).compartments[0], plain(good).compartments[0]],
      }),
      utf8(`${JSON.stringify(plain(good))} `),
      new Uint8Array([255]),
      new Uint8Array(0),
    ]
    const info = frame('ampere-epoch/v1', at.chain, at.epoch, at.reader)
    for (const text of texts) {
      const sealed = await hpkeSeal(readerKey, info, text)
      await expect(openPackage({ ...at, seed: readerSeed, sealed, publicKeys })).rejects.toMatchObject(FAILED)
    }
  })
})

describe('an epoch history', () => {
  it('leads to the seed before, in its own chain, compartment and epoch only', async () => {
    const [previousSeed, next] = [random(32), random(32)]
    const at = { chain, compartment: a, epoch: 6 }
    const sealed = await sealHistory({ ...at, publicKey: sealingPublicKey(next), previousSeed })
    const given = { ...at, seed: next, sealed, previousPublicKey: sealingPublicKey(previousSeed) }
    expect(await openHistory(given)).toEqual(previousSeed)
    const elsewhere = [
      { chain: toBase64url(random(32)) as ChainId },
      { compartment: b },
      { epoch: 7 },
      { seed: previousSeed },
      { previousPublicKey: sealingPublicKey(next) },
    ]
    for (const change of elsewhere)
      await expect(openHistory({ ...given, ...change })).rejects.toMatchObject(FAILED)
    const info = frame('ampere-history/v1', chain, a, 6)
    const long = await hpkeSeal(sealingPublicKey(next), info, concat(previousSeed, new Uint8Array(1)))
    await expect(openHistory({ ...given, sealed: long })).rejects.toMatchObject(FAILED)
  })
})
