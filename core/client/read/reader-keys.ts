// SPDX-License-Identifier: Apache-2.0
import { fromBase64url } from '../../bytes/encoding.ts'
import type { CompartmentId } from '../../bytes/ids.ts'
import type { EpochPackage } from '../../api/append.ts'
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
  /** The newest label key that this reader was given, or null. */
  readonly labelKey: Uint8Array | null
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
  let labelKey: Uint8Array | null = null
  const mine = packages.filter((item) => item.kind === 'reader' && item.reader === identity.reader)
  for (const item of [...mine].toSorted((a, b) => a.epoch - b.epoch)) {
    const contents = await tryOpen(replica, item, identity)
    if (!contents) continue
    labelKey = contents.labelKey
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
    labelKey,
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
