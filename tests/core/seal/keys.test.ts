// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { canonicalBytes } from '#core/bytes/canonical-json.ts'
import { toBase64url, toHex, utf8 } from '#core/bytes/encoding.ts'
import { concat, frame, uint32 } from '#core/bytes/frame.ts'
import type { BlockId, ChainId, CompartmentId, Digest, EntryId } from '#core/bytes/ids.ts'
import {
  describe as describeEntry,
  descriptorLeaf,
  entryRange,
  packObject,
  readDescriptors,
} from '#core/block/entries-object.ts'
import { encodeKeyRow, entomb, keyRowLeaves, parseKeyRow, type KeyRow } from '#core/block/key-row.ts'
import { hpkeSeal, sealingPublicKey } from '#core/crypto/hpke.ts'
import { sha256 } from '#core/crypto/hash.ts'
import { createKeyOpener, openKeys, sealKeys } from '#core/seal/wraps.ts'
import { seededRandom } from '#tests/deployment.ts'

const MALFORMED = expect.objectContaining({ code: 'BLOCK_MALFORMED' })
const random = seededRandom(29)
const chain = toBase64url(random(32)) as ChainId
const root = toBase64url(random(32)) as Digest
const erase = toBase64url(random(32)) as BlockId
const [a, b] = [toBase64url(random(16)), toBase64url(random(16))].toSorted() as [CompartmentId, CompartmentId]
const seeds = new Map([
  [a, random(32)],
  [b, random(32)],
])
const seedOf = (compartment: CompartmentId) => seeds.get(compartment) ?? null
const epochKeys = [b, a].map((compartment) => ({
  compartment,
  epoch: 4,
  publicKey: sealingPublicKey(seeds.get(compartment) ?? new Uint8Array(32)),
}))
const compartments = [a, b, a, b]
const deks = compartments.map((compartment) => ({ compartment, dek: random(32) }))
const seal = () => sealKeys({ chain, root, epochKeys, deks, random })
const open = (row: KeyRow, changes: object = {}) =>
  openKeys({ chain, root, compartments, seedOf, ...changes }, row)
const withEnvelope = (row: KeyRow, index: number, sealed: Uint8Array): KeyRow => ({
  ...row,
  envelopes: row.envelopes.map((item, i) => (i === index ? { ...item, sealed: toBase64url(sealed) } : item)),
})

describe('a key row', () => {
  it('gives each reader the keys of its compartments, and null for the others', async () => {
    const row = await seal()
    expect(row.envelopes.map((item) => item.compartment)).toEqual([a, b])
    expect(await open(row)).toEqual(deks.map(({ dek }) => dek))
    const onlyA = await open(row, { seedOf: (id: CompartmentId) => (id === a ? seedOf(a) : null) })
    expect(onlyA).toEqual([deks[0]?.dek, null, deks[2]?.dek, null])
    expect(await open(row, { seedOf: () => null })).toEqual([null, null, null, null])
  })

  it('opens one key with one HPKE opening, and no other compartment', async () => {
    const asked: string[] = []
    const opener = createKeyOpener(
      {
        chain,
        root,
        compartments,
        seedOf: (compartment, epoch) => {
          asked.push(`${compartment}/${epoch}`)
          return seedOf(compartment)
        },
      },
      await seal(),
    )
    expect(await Promise.all([opener.open(2), opener.open(0)])).toEqual([deks[2]?.dek, deks[0]?.dek])
    expect(asked).toEqual([`${a}/4`])
    await expect(opener.open(4)).rejects.toThrow(RangeError)
  })

  it('belongs to its chain, root, epoch and compartment: elsewhere it is unopenable', async () => {
    const row = await seal()
    const nothing = compartments.map(() => 'unopenable')
    expect(await open(row, { chain: toBase64url(random(32)) })).toEqual(nothing)
    expect(await open(row, { root: toBase64url(random(32)) })).toEqual(nothing)
    const later = { ...row, envelopes: row.envelopes.map((item) => ({ ...item, epoch: 5 })) }
    expect(await open(later)).toEqual(nothing)
    expect(await open(row, { compartments: [b, a, b, a] })).toEqual(nothing)
    expect(await open(row, { compartments: [] })).toEqual(nothing)
    const foreign = toBase64url(random(16)) as CompartmentId
    expect((await open(row, { compartments: [foreign, b, a, b] }))[0]).toBe('unopenable')
  })

  it('that its author made wrongly is unopenable where it is wrong, and nowhere else', async () => {
    const row = await seal()
    const broken = {
      ...row,
      keys: row.keys.map((key, i) => (i === 0 ? { wrapped: toBase64url(random(40)) } : key)),
    }
    expect(await open(broken)).toEqual(['unopenable', ...deks.slice(1).map(({ dek }) => dek)])
    const noise = withEnvelope(row, 1, random(1168))
    expect(await open(noise)).toEqual([deks[0]?.dek, 'unopenable', deks[2]?.dek, 'unopenable'])
    const info = frame('ampere-wrap/v1', chain, a, 4, root)
    const short = await hpkeSeal(sealingPublicKey(seeds.get(a) ?? random(32)), info, random(31))
    expect((await open(withEnvelope(row, 0, short)))[0]).toBe('unopenable')
  })

  it('keeps its leaves when keys are destroyed, and forgets the keys', async () => {
    const row = await seal()
    const once = entomb(row, [1, 3], erase)
    expect(keyRowLeaves(once).map(toHex)).toEqual(keyRowLeaves(row).map(toHex))
    expect(keyRowLeaves(row)).toHaveLength(2 + 4)
    expect(await open(once)).toEqual([deks[0]?.dek, 'erased', deks[2]?.dek, 'erased'])
    const again = entomb(once, [1, 2], toBase64url(random(32)) as BlockId)
    expect(again.keys[1]).toEqual(once.keys[1])
    expect(keyRowLeaves(again).map(toHex)).toEqual(keyRowLeaves(row).map(toHex))
    expect(parseKeyRow(encodeKeyRow(again))).toEqual(again)
    const [second] = row.keys.slice(1)
    if (second && 'wrapped' in second) expect(JSON.stringify(once)).not.toContain(second.wrapped)
  })

  it('has one spelling, and is refused in any other', async () => {
    const row = await seal()
    expect(parseKeyRow(encodeKeyRow(row))).toEqual(row)
    const [first, second] = row.envelopes
    const [key] = row.keys
    const tombstone = { erased: erase, hash: toBase64url(random(32)) }
    const wrong: unknown[] = [
      { ...row, v: 2 },
      { ...row, extra: 1 },
      { ...row, envelopes: [] },
      { ...row, keys: [] },
      { ...row, envelopes: [second, first] },
      { ...row, envelopes: [first, first] },
      { ...row, envelopes: [{ ...first, sealed: toBase64url(random(1167)) }] },
      { ...row, envelopes: [{ ...first, sealed: toBase64url(random(1169)) }] },
      { ...row, envelopes: [{ ...first, sealed: '*'.repeat(1558) }] },
      { ...row, envelopes: [{ ...first, epoch: '4' }] },
      { ...row, keys: [{ ...key, ...tombstone }] },
      { ...row, keys: [{ wrapped: toBase64url(random(39)) }] },
      { ...row, keys: [{ erased: erase }] },
      { ...row, keys: [{ ...tombstone, hash: 'x' }] },
      null,
      [],
    ]
    for (const value of wrong) expect(() => parseKeyRow(canonicalBytes(value))).toThrow(MALFORMED)
    const text = new TextDecoder().decode(encodeKeyRow(row))
    for (const bytes of [
      utf8(` ${text}`),
      utf8(`${text}\n`),
      utf8(JSON.stringify(Object.fromEntries(Object.entries(row).toReversed()))),
      new Uint8Array([255]),
    ]) {
      if (toHex(bytes) !== toHex(utf8(text))) expect(() => parseKeyRow(bytes)).toThrow(MALFORMED)
    }
  })

  it('cannot be made for an entry whose compartment has no epoch key', async () => {
    const input = { chain, root, epochKeys: epochKeys.slice(0, 1), deks, random }
    await expect(sealKeys(input)).rejects.toThrow(RangeError)
  })
})

describe('an entries object', () => {
  const ciphertexts = [100, 0, 99_999, 7, 1].map((size) => random(size))
  const pack = async () => {
    const descriptors = await Promise.all(
      ciphertexts.map((bytes, i) => describeEntry(toBase64url(random(16)) as EntryId, i % 2 ? a : b, bytes)),
    )
    return { descriptors, object: packObject(descriptors, ciphertexts) }
  }

  it('gives back each ciphertext by its range, from the head alone', async () => {
    const { descriptors, object } = await pack()
    const { start: headEnd } = entryRange(descriptors, 0)
    expect(readDescriptors(object.subarray(0, headEnd))).toEqual(descriptors)
    for (const [i, bytes] of ciphertexts.entries()) {
      const { start, end } = entryRange(descriptors, i)
      expect(Buffer.compare(object.subarray(start, end), bytes)).toBe(0)
      expect(descriptors[i]?.hash).toBe(toBase64url(sha256(bytes)))
    }
    expect(entryRange(descriptors, 4).end).toBe(object.length)
    expect(() => entryRange(descriptors, 5)).toThrow(RangeError)
    // A view into a larger buffer reads alike.
    expect(readDescriptors(concat(new Uint8Array(5), object).subarray(5))).toEqual(descriptors)
  })

  it('names every entry in a leaf of its own', async () => {
    const { descriptors } = await pack()
    expect(new Set(descriptors.map((item) => toHex(descriptorLeaf(item)))).size).toBe(5)
    const [first] = descriptors
    expect(new TextDecoder().decode(first && descriptorLeaf(first))).toBe(
      `{"compartment":"${b}","hash":"${first?.hash}","id":"${first?.id}","size":100,"v":1}`,
    )
  })

  it('is refused when its head is not exactly what it should be', async () => {
    const { descriptors, object } = await pack()
    const magic = utf8('ampere-object/v1\n')
    const headOf = (value: unknown) => {
      const json = canonicalBytes(value)
      return concat(magic, uint32(json.length), json)
    }
    const [first] = descriptors
    const wrong = [
      new Uint8Array(0),
      magic,
      object.subarray(0, magic.length + 4),
      object.subarray(0, 200),
      concat(utf8('ampere-object/v2\n'), object.subarray(magic.length)),
      concat(magic, uint32(0xffffffff), new Uint8Array(50)),
      headOf([]),
      headOf({}),
      headOf([{ ...first, extra: 1 }]),
      headOf([{ ...first, v: 2 }]),
      headOf([{ ...first, size: '100' }]),
      headOf([{ ...first, id: `${first?.id}A` }]),
      concat(magic, uint32(2), utf8('[{')),
    ]
    for (const bytes of wrong) expect(() => readDescriptors(bytes)).toThrow(MALFORMED)
  })
})
