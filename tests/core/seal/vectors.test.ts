// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fromBase64url, fromHex, toBase64url, toHex, utf8 } from '#core/bytes/encoding.ts'
import type { ChainId, CompartmentId, Digest, EntryId } from '#core/bytes/ids.ts'
import { keyRowLeaves, parseKeyRow } from '#core/block/key-row.ts'
import { decryptChunked, encryptChunked } from '#core/seal/chunked.ts'
import { openEntry } from '#core/seal/entry.ts'
import { openHistory, openPackage } from '#core/seal/epoch.ts'
import { openKeys } from '#core/seal/wraps.ts'
import { sealingPublicKey } from '#core/crypto/hpke.ts'

function vectors(name: string): unknown {
  const text = readFileSync(new URL(`../../vectors/ampere/${name}.json`, import.meta.url), 'utf8')
  return (JSON.parse(text) as { vectors: unknown }).vectors
}

describe('what earlier versions sealed', () => {
  it('is chunked-encryption byte for byte', async () => {
    for (const item of vectors('chunked') as Record<
      'key' | 'salt' | 'context' | 'plaintext' | 'commitment' | 'sealedSha256',
      string
    >[]) {
      const [key, context, plaintext] = [
        fromHex(item.key),
        fromHex(item.context),
        fromBase64url(item.plaintext),
      ]
      const sealed = await encryptChunked(key, fromHex(item.salt), context, plaintext)
      expect(createHash('sha256').update(sealed).digest('hex')).toBe(item.sealedSha256)
      expect(toHex(sealed.subarray(24, 56))).toBe(item.commitment)
      expect(Buffer.compare(await decryptChunked(key, context, sealed), plaintext)).toBe(0)
    }
  })

  it('opens as an entry', async () => {
    interface Vector {
      readonly chain: ChainId
      readonly id: EntryId
      readonly compartment: CompartmentId
      readonly dek: string
      readonly header: string
      readonly content: string
      readonly ciphertext: string
    }
    for (const { chain, id, compartment, dek, ...item } of vectors('entry') as Vector[]) {
      const opened = await openEntry(
        { chain, id, compartment, dek: fromHex(dek) },
        fromBase64url(item.ciphertext),
      )
      expect(toBase64url(opened.header)).toBe(item.header)
      expect(toBase64url(opened.content)).toBe(item.content)
    }
  })

  it('opens as a key row, with the leaves that its block named', async () => {
    const vector = vectors('key-row') as {
      readonly chain: ChainId
      readonly root: Digest
      readonly seeds: { compartment: CompartmentId; epoch: number; seed: string }[]
      readonly keys: { compartment: CompartmentId; dek: string }[]
      readonly row: string
      readonly leaves: string[]
    }
    const row = parseKeyRow(utf8(vector.row))
    expect(keyRowLeaves(row).map(toHex)).toEqual(vector.leaves)
    const seedOf = (compartment: CompartmentId, epoch: number) =>
      fromHex(
        vector.seeds.find((item) => item.compartment === compartment && item.epoch === epoch)?.seed ?? '',
      )
    const { chain, root } = vector
    const compartments = vector.keys.map((key) => key.compartment)
    const opened = await openKeys({ chain, root, compartments, seedOf }, row)
    expect(opened.map((dek) => (dek instanceof Uint8Array ? toHex(dek) : dek))).toEqual(
      vector.keys.map((key) => key.dek),
    )
  })

  it('opens as an epoch package and its history', async () => {
    const vector = vectors('epoch') as {
      readonly chain: ChainId
      readonly epoch: number
      readonly reader: string
      readonly readerSeed: string
      readonly labelKey: string
      readonly compartments: { id: CompartmentId; name: string; seed: string; publicKey: string }[]
      readonly package: string
      readonly history: { compartment: CompartmentId; previousSeed: string; sealed: string }
    }
    const { chain, epoch, reader, history } = vector
    const opened = await openPackage({
      chain,
      epoch,
      reader,
      seed: fromHex(vector.readerSeed),
      sealed: fromBase64url(vector.package),
      publicKeys: vector.compartments.map(({ id, publicKey }) => ({
        id,
        publicKey: fromBase64url(publicKey),
      })),
    })
    expect(toHex(opened.labelKey)).toBe(vector.labelKey)
    expect(opened.compartments.map(({ id, name, seed }) => ({ id, name, seed: toHex(seed) }))).toEqual(
      vector.compartments.map(({ id, name, seed }) => ({ id, name, seed })),
    )
    const previous = await openHistory({
      chain,
      compartment: history.compartment,
      epoch,
      seed: fromHex(vector.compartments.find(({ id }) => id === history.compartment)?.seed ?? ''),
      sealed: fromBase64url(history.sealed),
      previousPublicKey: sealingPublicKey(fromHex(history.previousSeed)),
    })
    expect(toHex(previous)).toBe(history.previousSeed)
  })
})
