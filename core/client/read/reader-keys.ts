// SPDX-License-Identifier: Apache-2.0
import { fromBase64url } from '../../bytes/encoding.ts'
import type { CompartmentId, Digest } from '../../bytes/ids.ts'
import type { EpochPackage } from '../../api/append.ts'
import { readableBy } from '../../chain/state.ts'
import { digestOf } from '../../crypto/hash.ts'
import { isAmpereError } from '../../errors.ts'
import { openHistory, openPackage } from '../../seal/epoch.ts'
import type { Identity } from '../client.ts'
import type { Replica } from './replica.ts'

/** The seeds that one reader holds of one chain. Lives in memory only. */
export interface Keyring {
  /** The seed of a compartment in an epoch, or null when this reader has none. */
  readonly seedOf: (compartment: CompartmentId, epoch: number) => Uint8Array | null
  readonly nameOf: (compartment: CompartmentId) => string | null
  /** Names by id, of the compartments that this reader was given. */
  readonly names: ReadonlyMap<CompartmentId, string>
  /** The label key of the current epoch, if this reader was given the one that the chain names; else null. */
  readonly labelKey: Uint8Array | null
  /** The label key with this SHA-256, of whatever epoch, if this reader was given it; else null. */
  readonly labelKeyOf: (hash: Digest) => Uint8Array | null
  /** Why a compartment without a seed is closed: not granted, or granted with a package that is absent or wrong. */
  readonly whyClosed: (compartment: CompartmentId, epoch: number) => WhyClosed
}

/** The word for an entry whose compartment has no seed here, with the check behind it. */
export interface WhyClosed {
  readonly status: 'not-granted' | 'missing' | 'unopenable'
  readonly rule: '' | 'package'
}

/**
 * Opens this reader's packages, newest last, then walks the histories back to earlier epochs.
 * A package whose seeds do not give the chain's public keys is refused as if it were not there.
 */
export async function openKeyring(
  replica: Replica,
  packages: readonly EpochPackage[],
  identity: Identity,
): Promise<Keyring> {
  const seeds = new Map<string, Uint8Array>()
  const names = new Map<CompartmentId, string>()
  const refused = new Set<number>()
  const labelKeys = new Map<Digest, Uint8Array>()
  const mine = packages.filter((item) => item.kind === 'reader' && item.reader === identity.reader)
  for (const item of [...mine].toSorted((a, b) => a.epoch - b.epoch)) {
    const contents = await tryOpen(replica, item, identity)
    if (!contents) {
      refused.add(item.epoch)
      continue
    }
    labelKeys.set(digestOf(contents.labelKey), contents.labelKey)
    for (const { id, name, seed } of contents.compartments) {
      seeds.set(`${id}/${item.epoch}`, seed)
      names.set(id, name)
    }
  }
  await walkBack(replica, packages, seeds)
  return {
    seedOf: (compartment, epoch) => seeds.get(`${compartment}/${epoch}`) ?? null,
    nameOf: (compartment) => names.get(compartment) ?? null,
    names,
    // A package that opens is not yet the one that the chain meant: only its hashes say so.
    labelKey: labelKeys.get(replica.link.state.labelKeyHash) ?? null,
    labelKeyOf: (hash) => labelKeys.get(hash) ?? null,
    whyClosed: whyClosed(replica, identity.reader, seeds, refused),
  }
}

/** A reader of today holds today's seeds: without them its package was held back, or its author made it wrongly. */
function whyClosed(
  replica: Replica,
  reader: string,
  seeds: ReadonlyMap<string, Uint8Array>,
  refused: ReadonlySet<number>,
): Keyring['whyClosed'] {
  const { state } = replica.link
  const mayRead = new Set(readableBy(state, reader))
  const current = state.epoch.number
  return (compartment, epoch) => {
    if (!mayRead.has(compartment)) return { status: 'not-granted', rule: '' }
    const isLocked = !seeds.has(`${compartment}/${current}`)
    if (refused.has(isLocked ? current : epoch)) return { status: 'unopenable', rule: 'package' }
    return isLocked ? { status: 'missing', rule: 'package' } : { status: 'not-granted', rule: '' }
  }
}

async function tryOpen(replica: Replica, item: EpochPackage, identity: Identity) {
  const keys = replica.epochs.get(item.epoch)
  if (!keys || item.kind !== 'reader') return null
  try {
    return await openPackage({
      chain: replica.chain,
      epoch: item.epoch,
      reader: item.reader,
      seed: await identity.sealingSeed(),
      sealed: fromBase64url(item.sealed),
      publicKeys: keys.map(({ id, key }) => ({ id, publicKey: fromBase64url(key) })),
    })
  } catch (error) {
    if (isAmpereError(error, 'OPEN_FAILED', 'ENCODING_MALFORMED')) return null
    throw error
  }
}

/** From the seed of epoch n and its history package to the seed of epoch n - 1, as far as they go. */
async function walkBack(
  replica: Replica,
  packages: readonly EpochPackage[],
  seeds: Map<string, Uint8Array>,
): Promise<void> {
  const histories = packages.filter((item) => item.kind === 'history').toSorted((a, b) => b.epoch - a.epoch)
  for (const item of histories) {
    const seed = seeds.get(`${item.compartment}/${item.epoch}`)
    const before = `${item.compartment}/${item.epoch - 1}`
    const key = replica.epochs.get(item.epoch - 1)?.find((candidate) => candidate.id === item.compartment)
    if (!seed || seeds.has(before) || !key) continue
    try {
      const previous = await openHistory({
        chain: replica.chain,
        compartment: item.compartment,
        epoch: item.epoch,
        seed,
        sealed: fromBase64url(item.sealed),
        previousPublicKey: fromBase64url(key.key),
      })
      seeds.set(before, previous)
    } catch (error) {
      if (!isAmpereError(error, 'OPEN_FAILED', 'ENCODING_MALFORMED')) throw error
    }
  }
}
