// SPDX-License-Identifier: Apache-2.0
// Writes the vectors of this folder: node tests/vectors/ampere/generate-seal.ts
// Everything is drawn from the seed below but HPKE's own randomness, so sealed envelopes and packages differ
// from run to run and what they open to does not. Vectors that have been published are not generated again:
// a change of format gets new files.
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { toBase64url, toHex, utf8 } from '#core/bytes/encoding.ts'
import type { ChainId, CompartmentId, Digest, EntryId } from '#core/bytes/ids.ts'
import { encodeKeyRow, keyRowLeaves } from '#core/block/key-row.ts'
import { encryptChunked } from '#core/seal/chunked.ts'
import { sealEntry } from '#core/seal/entry.ts'
import { newEpoch, sealHistory, sealPackage } from '#core/seal/epoch.ts'
import { sealKeys } from '#core/seal/wraps.ts'
import { SEED, seededBytes } from './seeded-bytes.ts'

const random = seededBytes(SEED)
const chain = toBase64url(random(32)) as ChainId
const root = toBase64url(random(32)) as Digest
const ids = () => toBase64url(random(16))
const compartments = [ids(), ids()].toSorted() as CompartmentId[]
const [general, sensitive] = compartments as [CompartmentId, CompartmentId]

await write('chunked', await chunkedVectors())
await write('entry', await entryVectors())
await write('key-row', await keyRowVector())
await write('epoch', await epochVector())

async function chunkedVectors() {
  const sizes = [0, 1, 16_383, 16_384, 16_385, 40_000]
  return Promise.all(
    sizes.map(async (size) => {
      const [key, salt, context, plaintext] = [random(32), random(24), utf8(`context ${size}`), random(size)]
      const sealed = await encryptChunked(key, salt, context, plaintext)
      return {
        key: toHex(key),
        salt: toHex(salt),
        context: toHex(context),
        plaintext: toBase64url(plaintext),
        commitment: toHex(sealed.subarray(24, 56)),
        sealedBytes: sealed.length,
        sealedSha256: createHash('sha256').update(sealed).digest('hex'),
      }
    }),
  )
}

async function entryVectors() {
  const text = JSON.stringify({ resourceType: 'Observation', status: 'final', note: 'synthetic '.repeat(40) })
  const contents = [new Uint8Array(0), utf8(text), random(5000)]
  return Promise.all(
    contents.map(async (content) => {
      const place = { chain, id: ids() as EntryId, compartment: general, dek: random(32) }
      const header = utf8('{"source":"hospital-a","v":1}')
      const ciphertext = await sealEntry({ ...place, salt: random(24), header, content })
      return {
        ...place,
        dek: toHex(place.dek),
        header: toBase64url(header),
        content: toBase64url(content),
        ciphertext: toBase64url(ciphertext),
      }
    }),
  )
}

async function keyRowVector() {
  const epoch = await newEpoch({ compartments: compartments.map((id) => ({ id, name: id })), random })
  const deks = [general, sensitive, general].map((compartment) => ({ compartment, dek: random(32) }))
  const epochKeys = epoch.map(({ id, publicKey }) => ({ compartment: id, epoch: 3, publicKey }))
  const row = await sealKeys({ chain, root, epochKeys, deks, random })
  return {
    chain,
    root,
    seeds: epoch.map(({ id, seed }) => ({ compartment: id, epoch: 3, seed: toHex(seed) })),
    keys: deks.map(({ compartment, dek }) => ({ compartment, dek: toHex(dek) })),
    row: new TextDecoder().decode(encodeKeyRow(row)),
    leaves: keyRowLeaves(row).map(toHex),
  }
}

async function epochVector() {
  const names = [
    { id: general, name: 'general' },
    { id: sensitive, name: 'mental health' },
  ]
  const [readerSeed, labelKey, previousSeed] = [random(32), random(32), random(32)]
  const { sealingPublicKey } = await import('#core/crypto/hpke.ts')
  const epoch = await newEpoch({ compartments: names, random })
  const contents = { compartments: epoch.map(({ id, name, seed }) => ({ id, name, seed })), labelKey }
  const sealed = await sealPackage({
    chain,
    epoch: 2,
    reader: 'hospital-a',
    readerKey: sealingPublicKey(readerSeed),
    contents,
  })
  const [first] = epoch
  const history = await sealHistory({
    chain,
    compartment: general,
    epoch: 2,
    publicKey: first?.publicKey ?? new Uint8Array(0),
    previousSeed,
  })
  return {
    chain,
    epoch: 2,
    reader: 'hospital-a',
    readerSeed: toHex(readerSeed),
    labelKey: toHex(labelKey),
    compartments: epoch.map(({ id, name, seed, publicKey }) => ({
      id,
      name,
      seed: toHex(seed),
      publicKey: toBase64url(publicKey),
    })),
    package: toBase64url(sealed),
    history: { compartment: general, previousSeed: toHex(previousSeed), sealed: toBase64url(history) },
  }
}

async function write(name: string, vectors: unknown) {
  const url = new URL(`${name}.json`, import.meta.url)
  writeFileSync(url, `${JSON.stringify({ seed: SEED, vectors }, null, 1)}\n`)
}
