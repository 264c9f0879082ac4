// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { createCipheriv, createHmac } from 'node:crypto'
import { deflateSync } from 'fflate'
import { utf8 } from '#core/bytes/encoding.ts'
import type { ChainId, CompartmentId, EntryId } from '#core/bytes/ids.ts'
import { concat, frame } from '#core/bytes/frame.ts'
import { decryptChunked, encryptChunked } from '#core/seal/chunked.ts'
import { openEntry, sealEntry } from '#core/seal/entry.ts'
import { newEpoch, openHistory, openPackage, sealHistory, sealPackage } from '#core/seal/epoch.ts'
import { pad, padmeLength, unpad } from '#core/seal/padding.ts'
import { sealingPublicKey } from '#core/crypto/hpke.ts'
import { seededRandom } from '#tests/deployment.ts'

const random = seededRandom(3)
const chain = 'c'.repeat(43) as ChainId
const compartment = 'A'.repeat(22) as CompartmentId
const SIZES = [0, 1, 2, 4091, 4092, 4093, 16_383, 16_384, 16_385, 32_767, 32_768, 32_769, 65_536, 1_048_576]

describe('chunked encryption', () => {
  it.each(SIZES)('of %i bytes opens again, and agrees with an independent implementation', async (size) => {
    const [key, salt, context, plain] = [random(32), random(24), utf8('context'), random(size)]
    const sealed = await encryptChunked(key, salt, context, plain)
    expect(Buffer.compare(sealed, independent(key, salt, context, plain))).toBe(0)
    expect(Buffer.compare(await decryptChunked(key, context, sealed), plain)).toBe(0)
  })

  it('fails alike for every flipped bit, another context, another key and every truncation', async () => {
    const [key, salt, context] = [random(32), random(24), utf8('context')]
    const sealed = await encryptChunked(key, salt, context, random(20_000))
    const failing = { code: 'OPEN_FAILED', message: 'sealed bytes do not open' }
    for (let at = 0; at < sealed.length; at += 97) {
      const flipped = sealed.map((byte, i) => (i === at ? byte ^ 4 : byte))
      await expect(decryptChunked(key, context, flipped)).rejects.toMatchObject(failing)
    }
    await expect(decryptChunked(key, utf8('other'), sealed)).rejects.toMatchObject(failing)
    await expect(decryptChunked(random(32), context, sealed)).rejects.toMatchObject(failing)
    for (const length of [0, 10, 55, 56, 71, 72, 56 + 16_400, sealed.length - 1]) {
      await expect(decryptChunked(key, context, sealed.subarray(0, length))).rejects.toMatchObject(failing)
    }
  })
})

describe('padding', () => {
  it('is strict: zeros only, and one length only', () => {
    for (const size of SIZES)
      expect(Buffer.compare(unpad(pad(new Uint8Array(size).fill(1))), new Uint8Array(size).fill(1))).toBe(0)
    const dirty = pad(new Uint8Array(10))
    dirty[4000] = 1
    expect(() => unpad(dirty)).toThrow(expect.objectContaining({ code: 'OPEN_FAILED' }))
    expect(() => unpad(concat(pad(new Uint8Array(10)), new Uint8Array(1)))).toThrow(
      expect.objectContaining({ code: 'OPEN_FAILED' }),
    )
  })

  it('grows a length by at most 12 %', () => {
    for (let length = 2; length < 3_000_000; length = Math.ceil(length * 1.37)) {
      expect(padmeLength(length)).toBeGreaterThanOrEqual(length)
      expect(padmeLength(length)).toBeLessThanOrEqual(length * 1.12)
    }
  })
})

describe('an entry', () => {
  const place = () => ({ chain, id: 'e'.repeat(22) as EntryId, compartment, dek: random(32) })

  it.each(SIZES)('of %i bytes opens again with its header', async (size) => {
    const at = place()
    const content = random(size)
    const sealed = await sealEntry({ ...at, salt: random(24), header: utf8('{"h":1}'), content })
    const opened = await openEntry(at, sealed)
    expect(opened.header).toEqual(utf8('{"h":1}'))
    expect(Buffer.compare(opened.content, content)).toBe(0)
  })

  it('opens in no other chain, compartment or place', async () => {
    const at = place()
    const sealed = await sealEntry({ ...at, salt: random(24), header: utf8('{}'), content: utf8('text') })
    await expect(openEntry({ ...at, chain: 'd'.repeat(43) as ChainId }, sealed)).rejects.toMatchObject({
      code: 'OPEN_FAILED',
    })
    await expect(openEntry({ ...at, id: 'f'.repeat(22) as EntryId }, sealed)).rejects.toMatchObject({
      code: 'OPEN_FAILED',
    })
    await expect(
      openEntry({ ...at, compartment: 'q'.repeat(22) as CompartmentId }, sealed),
    ).rejects.toMatchObject({ code: 'OPEN_FAILED' })
  })

  it('that would fill the memory is refused while it is inflated', async () => {
    const at = place()
    const bomb = concat(new Uint8Array([1]), deflateSync(new Uint8Array(65 * 1024 * 1024)))
    const sealed = await encryptChunked(
      at.dek,
      random(24),
      frame('ampere-entry/v1', chain, at.id, compartment),
      pad(bomb),
    )
    expect(sealed.length).toBeLessThan(200_000)
    await expect(openEntry(at, sealed)).rejects.toMatchObject({ code: 'OPEN_FAILED' })
  })
})

describe('an epoch package', () => {
  it('opens for its reader only, and only if its seeds are the chain own keys', async () => {
    const reader = random(32)
    const epoch = await newEpoch({ compartments: [{ id: compartment, name: 'general' }], random })
    const contents = {
      compartments: epoch.map(({ id, name, seed }) => ({ id, name, seed })),
      labelKey: random(32),
    }
    const given = { chain, epoch: 1, reader: 'hospital-a' }
    const sealed = await sealPackage({ ...given, readerKey: sealingPublicKey(reader), contents })
    const publicKeys = epoch.map(({ id, publicKey }) => ({ id, publicKey }))
    expect((await openPackage({ ...given, seed: reader, sealed, publicKeys })).compartments).toEqual(
      contents.compartments,
    )
    const failing = { code: 'OPEN_FAILED' }
    await expect(openPackage({ ...given, seed: random(32), sealed, publicKeys })).rejects.toMatchObject(
      failing,
    )
    await expect(
      openPackage({ ...given, reader: 'hospital-b', seed: reader, sealed, publicKeys }),
    ).rejects.toMatchObject(failing)
    const other = [{ id: compartment, publicKey: sealingPublicKey(random(32)) }]
    await expect(openPackage({ ...given, seed: reader, sealed, publicKeys: other })).rejects.toMatchObject(
      failing,
    )
  })

  it('leads back to the previous epoch, and to no other seed', async () => {
    const [previous, next] = [random(32), random(32)]
    const at = { chain, compartment, epoch: 2 }
    const sealed = await sealHistory({ ...at, publicKey: sealingPublicKey(next), previousSeed: previous })
    expect(
      await openHistory({ ...at, seed: next, sealed, previousPublicKey: sealingPublicKey(previous) }),
    ).toEqual(previous)
    await expect(
      openHistory({ ...at, seed: next, sealed, previousPublicKey: sealingPublicKey(random(32)) }),
    ).rejects.toMatchObject({ code: 'OPEN_FAILED' })
  })
})

/** c2sp.org/chunked-encryption once more, over node:crypto, sharing no code with the one under test. */
function independent(key: Uint8Array, salt: Uint8Array, context: Uint8Array, plain: Uint8Array): Buffer {
  const info = Buffer.concat([
    Buffer.from('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0'),
    salt,
    context,
  ])
  const first = createHmac('sha512', key).update(info).update(Buffer.of(1)).digest()
  const second = createHmac('sha512', key).update(first).update(info).update(Buffer.of(2)).digest()
  const okm = Buffer.concat([first, second])
  const parts = [Buffer.from(salt), okm.subarray(44, 76)]
  for (let k = 0; k <= Math.floor(plain.length / 16_384); k++) {
    const nonce = Buffer.from(okm.subarray(32, 44))
    nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ k) >>> 0, 8)
    const cipher = createCipheriv('aes-256-gcm', okm.subarray(0, 32), nonce)
    parts.push(
      cipher.update(plain.subarray(k * 16_384, (k + 1) * 16_384)),
      cipher.final(),
      cipher.getAuthTag(),
    )
  }
  return Buffer.concat(parts)
}
