// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, toBase64url, utf8 } from '#core/bytes/encoding.ts'
import type { ChainId, CompartmentId, Digest, EntryId } from '#core/bytes/ids.ts'
import type { EpochPackage } from '#core/api/append.ts'
import type { BlockEntries, EpochKey } from '#core/block/block.ts'
import { describe, descriptorLeaf, packObject, type EntryDescriptor } from '#core/block/entries-object.ts'
import { encodeKeyRow, keyRowLeaves, parseKeyRow } from '#core/block/key-row.ts'
import { readableBy, type ControlState } from '#core/chain/state.ts'
import { sealingPublicKey } from '#core/crypto/hpke.ts'
import { rootOf } from '#core/log/merkle.ts'
import { sealEntry, type EntryPlace } from '#core/seal/entry.ts'
import { sealHistory, sealPackage, type CompartmentSeed } from '#core/seal/epoch.ts'
import { sealKeys } from '#core/seal/wraps.ts'
import { bytesFor } from './cast.ts'

/**
 * What HPKE sealed, by name. HPKE draws its own randomness, so these bytes are made once and kept; everything
 * else is drawn from the seed, what they open to included.
 */
export interface Frozen {
  /** The bytes under a name, made if they are not there and may be. */
  take(name: string, make: () => Promise<string>): Promise<string>
}

/** The compartments of an epoch with seeds and public keys, and its label key. */
export interface Epoch {
  readonly number: number
  readonly seeds: readonly CompartmentSeed[]
  readonly keys: readonly EpochKey[]
  readonly labelKey: Uint8Array
}

/** An epoch of two compartments, whose ids stay and whose seeds are drawn anew. */
export function makeEpoch(number: number): Epoch {
  const ids = bytesFor('compartments')
  const random = bytesFor(`epoch ${number}`)
  const seeds = ['general', 'mental-health']
    .map((name) => ({ id: toBase64url(ids(16)) as CompartmentId, name, seed: random(32) }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const keys = seeds.map(({ id, seed }) => ({ id, key: toBase64url(sealingPublicKey(seed)) }))
  return { number, seeds, keys, labelKey: random(32) }
}

/** One package for each reader, of what `after` lets it open. */
export function packagesFor(
  frozen: Frozen,
  chain: ChainId,
  after: ControlState,
  epoch: Epoch,
  readers: Readonly<Record<string, Uint8Array>>,
): Promise<EpochPackage[]> {
  return Promise.all(
    Object.entries(readers).map(async ([reader, seed]) => {
      const may = new Set<string>(readableBy(after, reader))
      const compartments = epoch.seeds.filter(({ id }) => may.has(id))
      const sealed = await frozen.take(`package ${epoch.number} ${reader}`, async () => {
        const contents = { compartments, labelKey: epoch.labelKey }
        const readerKey = sealingPublicKey(seed)
        return toBase64url(await sealPackage({ chain, epoch: epoch.number, reader, readerKey, contents }))
      })
      return { kind: 'reader' as const, epoch: epoch.number, reader, sealed }
    }),
  )
}

/** The previous seeds under the new keys. */
export function historiesFor(frozen: Frozen, chain: ChainId, before: Epoch, epoch: Epoch): Promise<EpochPackage[]> {
  return Promise.all(
    before.seeds.map(async ({ id, name, seed }) => {
      const sealed = await frozen.take(`history ${epoch.number} ${name}`, async () => {
        const publicKey = Buffer.from(epoch.keys.find((key) => key.id === id)?.key ?? '', 'base64url')
        const at = { chain, compartment: id, epoch: epoch.number }
        return toBase64url(await sealHistory({ ...at, publicKey, previousSeed: seed }))
      })
      return { kind: 'history' as const, epoch: epoch.number, compartment: id, sealed }
    }),
  )
}

/** What a record block names, with its object and key row. */
export interface Filing {
  readonly entries: BlockEntries
  readonly ids: readonly EntryId[]
  readonly object: Uint8Array
  readonly row: string
}

/** Seals texts, each in the compartment of its name. */
export async function fileTexts(
  frozen: Frozen,
  chain: ChainId,
  epoch: Epoch,
  texts: readonly (readonly [compartment: string, text: string])[],
): Promise<Filing> {
  const name = `entries of epoch ${epoch.number}`
  const random = bytesFor(name)
  const sealed: (EntryPlace & { ciphertext: Uint8Array; descriptor: EntryDescriptor })[] = []
  for (const [compartment, text] of texts) {
    const place = { chain, id: toBase64url(random(16)) as EntryId, compartment: idOf(epoch, compartment), dek: random(32) }
    const header = utf8(JSON.stringify({ source: 'hospital-a', v: 1 }))
    const ciphertext = await sealEntry({ ...place, salt: random(24), header, content: utf8(text) })
    sealed.push({ ...place, ciphertext, descriptor: await describe(place.id, place.compartment, ciphertext) })
  }
  const descriptors = sealed.map((item) => item.descriptor)
  const root = toBase64url(rootOf(descriptors.map(descriptorLeaf))) as Digest
  const compartments = [...new Set(sealed.map((item) => item.compartment))].toSorted((a, b) => (a < b ? -1 : 1))
  const epochKeys = epoch.keys
    .filter(({ id }) => compartments.includes(id))
    .map(({ id, key }) => ({ compartment: id, epoch: epoch.number, publicKey: Buffer.from(key, 'base64url') }))
  const row = await frozen.take(`key row of epoch ${epoch.number}`, async () => {
    const made = await sealKeys({ chain, root, epochKeys, deks: sealed, random: bytesFor(`keys of ${name}`) })
    return fromUtf8(encodeKeyRow(made))
  })
  const keys = toBase64url(rootOf(keyRowLeaves(parseKeyRow(utf8(row))))) as Digest
  const bytes = descriptors.reduce((sum, { size }) => sum + size, 0)
  const entries = { count: sealed.length, bytes, root, keys, epoch: epoch.number, compartments, batch: null }
  const object = packObject(descriptors, sealed.map((item) => item.ciphertext))
  return { entries, ids: sealed.map(({ id }) => id), object, row }
}

function idOf(epoch: Epoch, name: string): CompartmentId {
  const found = epoch.seeds.find((compartment) => compartment.name === name)
  if (!found) throw new RangeError('no such compartment')
  return found.id
}
