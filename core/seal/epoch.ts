// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { canonicalBytes, parseCanonical } from '../bytes/canonical-json.ts'
import { fromBase64url, toBase64url } from '../bytes/encoding.ts'
import { equalBytes, frame } from '../bytes/frame.ts'
import type { ChainId, CompartmentId } from '../bytes/ids.ts'
import { bytesOf, compartmentId, parseWith } from '../bytes/schema.ts'
import { hpkeOpen, hpkeSeal, sealingPublicKey } from '../crypto/hpke.ts'
import { AmpereError } from '../errors.ts'
import type { Random } from '../ports/keys.ts'

/** One compartment's name and the seed of its key pair for an epoch. */
export interface CompartmentSeed {
  readonly id: CompartmentId
  readonly name: string
  readonly seed: Uint8Array
}

/** What a reader's package holds. */
export interface PackageContents {
  readonly compartments: readonly CompartmentSeed[]
  readonly labelKey: Uint8Array
}

const contentsSchema = v.strictObject({
  v: v.literal(1),
  compartments: v.array(
    v.strictObject({ id: compartmentId, name: v.pipe(v.string(), v.maxLength(64)), seed: bytesOf(32) }),
  ),
  labelKey: bytesOf(32),
})

/** Fresh seeds and their public keys, 1,216 bytes each. */
export async function newEpoch(input: {
  readonly compartments: readonly { readonly id: CompartmentId; readonly name: string }[]
  readonly random: Random
}): Promise<readonly (CompartmentSeed & { readonly publicKey: Uint8Array })[]> {
  return input.compartments.map(({ id, name }) => {
    const seed = input.random(32)
    return { id, name, seed, publicKey: sealingPublicKey(seed) }
  })
}

/** Seals a reader's package: one HPKE message with all its seeds, compartment names and the label key. */
export function sealPackage(input: {
  readonly chain: ChainId
  readonly epoch: number
  readonly reader: string
  readonly readerKey: Uint8Array
  readonly contents: PackageContents
}): Promise<Uint8Array> {
  const { compartments, labelKey } = input.contents
  const plain = canonicalBytes({
    v: 1,
    compartments: compartments.map(({ id, name, seed }) => ({ id, name, seed: toBase64url(seed) })),
    labelKey: toBase64url(labelKey),
  })
  return hpkeSeal(input.readerKey, packageInfo(input), plain)
}

/**
 * Opens a package and recomputes every public key from its seed: seeds that differ from the chain's keys
 * would let an author show different readers different things.
 * @throws AmpereError OPEN_FAILED
 */
export async function openPackage(input: {
  readonly chain: ChainId
  readonly epoch: number
  readonly reader: string
  readonly seed: Uint8Array
  readonly sealed: Uint8Array
  readonly publicKeys: readonly { readonly id: CompartmentId; readonly publicKey: Uint8Array }[]
}): Promise<PackageContents> {
  const plain = await hpkeOpen(input.seed, packageInfo(input), input.sealed)
  const contents = parseContents(plain)
  // An id twice would let two parts of one reader use different seeds.
  if (new Set(contents.compartments.map(({ id }) => id)).size !== contents.compartments.length) throw failed()
  for (const { id, seed } of contents.compartments) {
    const expected = input.publicKeys.find((key) => key.id === id)
    if (!expected || !equalBytes(sealingPublicKey(seed), expected.publicKey)) throw failed()
  }
  return contents
}

/** Seals the previous epoch's seed of a compartment to its new public key. `epoch` is the new one. */
export function sealHistory(input: {
  readonly chain: ChainId
  readonly compartment: CompartmentId
  readonly epoch: number
  readonly publicKey: Uint8Array
  readonly previousSeed: Uint8Array
}): Promise<Uint8Array> {
  return hpkeSeal(input.publicKey, historyInfo(input), input.previousSeed)
}

/** The previous epoch's seed, checked against its public key. @throws AmpereError OPEN_FAILED */
export async function openHistory(input: {
  readonly chain: ChainId
  readonly compartment: CompartmentId
  readonly epoch: number
  readonly seed: Uint8Array
  readonly sealed: Uint8Array
  readonly previousPublicKey: Uint8Array
}): Promise<Uint8Array> {
  const previous = await hpkeOpen(input.seed, historyInfo(input), input.sealed)
  if (previous.length !== 32 || !equalBytes(sealingPublicKey(previous), input.previousPublicKey))
    throw failed()
  return previous
}

function parseContents(plain: Uint8Array): PackageContents {
  try {
    const parsed = parseWith(contentsSchema, parseCanonical(plain), 'OPEN_FAILED', 'package')
    return {
      compartments: parsed.compartments.map(({ id, name, seed }) => ({
        id,
        name,
        seed: fromBase64url(seed),
      })),
      labelKey: fromBase64url(parsed.labelKey),
    }
  } catch (cause) {
    throw new AmpereError('OPEN_FAILED', 'sealed bytes do not open', { cause })
  }
}

function packageInfo(input: { chain: ChainId; epoch: number; reader: string }): Uint8Array {
  return frame('ampere-epoch/v1', input.chain, input.epoch, input.reader)
}

function historyInfo(input: { chain: ChainId; compartment: CompartmentId; epoch: number }): Uint8Array {
  return frame('ampere-history/v1', input.chain, input.compartment, input.epoch)
}

function failed(): AmpereError {
  return new AmpereError('OPEN_FAILED', 'sealed bytes do not open')
}
