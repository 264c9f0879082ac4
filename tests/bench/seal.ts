// SPDX-License-Identifier: Apache-2.0
import { hmac } from '@noble/hashes/hmac.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { deflateSync, inflateSync } from 'fflate'
import { toBase64url, utf8 } from '#core/bytes/encoding.ts'
import { concat } from '#core/bytes/frame.ts'
import type { ChainId, CompartmentId, Digest, EntryId } from '#core/bytes/ids.ts'
import {
  describe,
  descriptorLeaf,
  entryRange,
  packObject,
  readDescriptors,
} from '#core/block/entries-object.ts'
import { sha256Large } from '#core/crypto/hash.ts'
import { hpkeOpen, hpkeSeal, sealingPublicKey } from '#core/crypto/hpke.ts'
import { createKeyWrapper } from '#core/crypto/key-wrap.ts'
import { rootOf } from '#core/log/merkle.ts'
import { openEntry, sealEntry } from '#core/seal/entry.ts'
import { cpuMicros, figure, inTurn, perSecond, ratios, ROUNDS, type Bench } from './measure.ts'
import { resourcesOfSize } from './worlds/samples.ts'

const ENTRIES = 256
const BYTES = 1500
/** Blocks per round, one after the other as an import makes them. */
const BLOCKS = 8
const PADDED_BYTES = 4096
const CHAIN = 'c'.repeat(43) as ChainId
const COMPARTMENT = 'A'.repeat(22) as CompartmentId
const HEADER = utf8('{"v":1}')

export const bench: Bench = {
  question: 'How fast are 1.5 KB resources sealed and opened, in blocks of 256?',
  run: async () => {
    const contents = resourcesOfSize(ENTRIES, BYTES)
    const sealed = await sealBlock(contents)
    const raw = await rawSeal(contents)
    if (raw.ciphertexts.some((bytes) => bytes.length !== PADDED_BYTES + 16))
      throw new Error('the floor works on other bytes')
    const samples = await inTurn({
      seal: () => repeat(() => sealBlock(contents)),
      rawSeal: () => repeat(() => rawSeal(contents)),
      open: () => repeat(() => openBlock(sealed)),
      rawOpen: () => repeat(() => rawOpen(raw)),
      hpke: () => repeat(hpkeOnce),
    })
    const rate = (name: keyof typeof samples) => perSecond(ENTRIES * BLOCKS, samples[name])
    const cpu = (name: keyof typeof samples) => cpuMicros(ENTRIES * BLOCKS, samples[name])
    return {
      sizes: `blocks of ${ENTRIES} real resources nearest to ${BYTES} bytes, padded to ${PADDED_BYTES}; ${BLOCKS} blocks a round, ${ROUNDS} rounds`,
      figures: [
        figure('seal: compress, pad, encrypt, hash, wrap the key, pack', 'entries/s', rate('seal')),
        figure('floor: deflate, HKDF, AES-GCM, SHA-256', 'entries/s', rate('rawSeal')),
        figure('ratio to the floor', '', ratios(rate('seal'), rate('rawSeal')), { atLeast: 0.5 }),
        figure('open: check, unwrap the key, decrypt, decompress', 'entries/s', rate('open')),
        figure('floor: SHA-256, HKDF, AES-GCM, inflate', 'entries/s', rate('rawOpen')),
        figure('ratio to the floor', '', ratios(rate('open'), rate('rawOpen')), { atLeast: 0.5 }),
        figure('CPU per entry sealed', 'us', cpu('seal')),
        figure('CPU per entry sealed, floor', 'us', cpu('rawSeal')),
        figure('CPU per entry opened', 'us', cpu('open')),
        figure('CPU per entry opened, floor', 'us', cpu('rawOpen')),
        figure(
          'HPKE, apart: seal and open one wrapping key, once per block and compartment',
          'ms',
          samples.hpke.map(({ wallMs }) => wallMs / BLOCKS),
        ),
      ],
      doesNotShow:
        'HPKE, which is left out above because a block needs it once per compartment whatever its size; signing; larger entries.',
    }
  },
}

interface SealedBlock {
  readonly object: Uint8Array
  readonly root: Digest
  readonly wrapped: readonly Uint8Array[]
}

const KEK = new Uint8Array(32).fill(7)
const dekOf = (i: number) => new Uint8Array(32).fill(i)
const placeOf = (i: number) => ({
  chain: CHAIN,
  id: String(i).padStart(21, 'A').concat('A') as EntryId,
  compartment: COMPARTMENT,
  dek: dekOf(i),
})

/** Everything that sealing a block takes, but HPKE. */
async function sealBlock(contents: readonly Uint8Array[]): Promise<SealedBlock> {
  const wrapper = await createKeyWrapper(KEK)
  const sealed = await Promise.all(
    contents.map(async (content, i) => {
      const place = placeOf(i)
      const salt = new Uint8Array(24).fill(i)
      const ciphertext = await sealEntry({ ...place, salt, header: HEADER, content })
      const descriptor = await describe(place.id, COMPARTMENT, ciphertext)
      return { ciphertext, descriptor, wrapped: await wrapper.wrap(place.dek) }
    }),
  )
  const descriptors = sealed.map((item) => item.descriptor)
  return {
    object: packObject(
      descriptors,
      sealed.map((item) => item.ciphertext),
    ),
    root: toBase64url(rootOf(descriptors.map(descriptorLeaf))) as Digest,
    wrapped: sealed.map((item) => item.wrapped),
  }
}

/** Everything that opening a block takes, but HPKE. */
async function openBlock({ object, root, wrapped }: SealedBlock): Promise<void> {
  const wrapper = await createKeyWrapper(KEK)
  const descriptors = readDescriptors(object)
  if (toBase64url(rootOf(descriptors.map(descriptorLeaf))) !== root) throw new Error('another root')
  await Promise.all(
    descriptors.map(async ({ id, compartment, hash }, i) => {
      const { start, end } = entryRange(descriptors, i)
      const ciphertext = object.subarray(start, end)
      if (toBase64url(await sha256Large(ciphertext)) !== hash) throw new Error('another hash')
      const dek = await wrapper.unwrap(wrapped[i] ?? new Uint8Array(0))
      await openEntry({ chain: CHAIN, id, compartment, dek }, ciphertext)
    }),
  )
}

interface RawBlock {
  readonly deflated: readonly Uint8Array[]
  readonly ciphertexts: readonly Uint8Array<ArrayBuffer>[]
}

/** The primitives alone, from the same libraries, on the same padded bytes. */
async function rawSeal(contents: readonly Uint8Array[]): Promise<RawBlock> {
  const deflated: Uint8Array[] = []
  const ciphertexts = await Promise.all(
    contents.map(async (content, i) => {
      const compressed = deflateSync(concat(HEADER, content), { level: 6 })
      deflated[i] = compressed
      const padded = new Uint8Array(PADDED_BYTES)
      padded.set(compressed)
      const key = await rawKey(i, 'encrypt')
      const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: new Uint8Array(12) }, key, padded)
      await crypto.subtle.digest('SHA-256', sealed)
      return new Uint8Array(sealed)
    }),
  )
  return { deflated, ciphertexts }
}

async function rawOpen({ ciphertexts, deflated }: RawBlock): Promise<void> {
  await Promise.all(
    ciphertexts.map(async (sealed, i) => {
      await crypto.subtle.digest('SHA-256', sealed)
      const key = await rawKey(i, 'decrypt')
      const iv = new Uint8Array(12)
      const padded = new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, sealed))
      // With room prepared: without it fflate allocates 128 KB for each of these small streams.
      inflateSync(padded.subarray(0, deflated[i]?.length ?? 0), { out: new Uint8Array(4 * BYTES) })
    }),
  )
}

/** As long as what an entry's key is derived from: prefix, salt, chain, entry id and compartment. */
const INFO = new Uint8Array(190)

function rawKey(i: number, usage: 'encrypt' | 'decrypt'): Promise<CryptoKey> {
  // HKDF-Expand to 76 bytes is two HMACs; noble's own expand refuses a 32-byte key with SHA-512.
  const first = hmac(sha512, dekOf(i), concat(INFO, new Uint8Array([1])))
  hmac(sha512, dekOf(i), concat(first, INFO, new Uint8Array([2])))
  const key = first.subarray(0, 32) as Uint8Array<ArrayBuffer>
  return crypto.subtle.importKey('raw', key, 'AES-GCM', false, [usage])
}

const SEED = new Uint8Array(32).fill(3)
const PUBLIC_KEY = sealingPublicKey(SEED)

async function hpkeOnce(): Promise<void> {
  await hpkeOpen(SEED, HEADER, await hpkeSeal(PUBLIC_KEY, HEADER, KEK))
}

async function repeat(act: () => Promise<unknown>): Promise<void> {
  for (let block = 0; block < BLOCKS; block++) await act()
}
