// SPDX-License-Identifier: Apache-2.0
import { fromBase64url, toBase64url } from '../../bytes/encoding.ts'
import type { ChainId, CompartmentId, Digest } from '../../bytes/ids.ts'
import type { EpochKey, Grant } from '../../block/block.ts'
import { recordOf, type RegistryView } from '../../registry/snapshot.ts'
import type { EpochPackage } from '../../api/append.ts'
import { devicesOf, readableBy, type ControlState } from '../../chain/state.ts'
import { digestOf } from '../../crypto/hash.ts'
import { AmpereError } from '../../errors.ts'
import type { Random } from '../../ports/keys.ts'
import { newEpoch, sealHistory, sealPackage } from '../../seal/epoch.ts'
import type { Keyring } from '../read/reader-keys.ts'

/** The secrets of an epoch: a seed per compartment, and the label key for the log. */
export interface EpochSecrets {
  readonly compartments: readonly {
    readonly id: CompartmentId
    readonly name: string
    readonly seed: Uint8Array
  }[]
  readonly keys: readonly EpochKey[]
  readonly labelKey: Uint8Array
  readonly labelKeyHash: Digest
}

/** Draws fresh seeds for every compartment. */
export async function drawEpoch(
  compartments: readonly { readonly id: CompartmentId; readonly name: string }[],
  random: Random,
): Promise<EpochSecrets> {
  const drawn = await newEpoch({ compartments, random })
  const labelKey = random(32)
  return {
    compartments: drawn.map(({ id, name, seed }) => ({ id, name, seed })),
    keys: drawn
      .map(({ id, publicKey }) => ({ id, key: toBase64url(publicKey) }))
      .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    labelKey,
    labelKeyHash: digestOf(labelKey),
  }
}

/** The epoch that a keyring holds, to be packaged for a reader who joins without a new epoch. */
export function heldEpoch(
  state: ControlState,
  keyring: Keyring,
): Pick<EpochSecrets, 'compartments' | 'labelKey'> {
  const compartments = state.compartments.map(({ id }) => {
    const seed = keyring.seedOf(id, state.epoch.number)
    const name = keyring.nameOf(id)
    if (!seed || name === null)
      throw new AmpereError('FORBIDDEN', 'this identity does not hold every seed of the epoch')
    return { id, name, seed }
  })
  if (!keyring.labelKey) throw new AmpereError('FORBIDDEN', 'this identity does not hold the label key')
  return { compartments, labelKey: keyring.labelKey }
}

/** One package for each of `readers`, holding exactly what `after` lets that reader open. */
export async function packageFor(
  chain: ChainId,
  after: ControlState,
  secrets: Pick<EpochSecrets, 'compartments' | 'labelKey'>,
  readers: readonly string[],
  records: RegistryView,
): Promise<EpochPackage[]> {
  const { number } = after.epoch
  return Promise.all(
    readers.map(async (reader) => {
      const allowed = new Set<string>(readableBy(after, reader))
      const sealed = await sealPackage({
        chain,
        epoch: number,
        reader,
        readerKey: sealingKeyOf(reader, after, records),
        contents: {
          compartments: secrets.compartments.filter(({ id }) => allowed.has(id)),
          labelKey: secrets.labelKey,
        },
      })
      return { kind: 'reader' as const, epoch: number, reader, sealed: toBase64url(sealed) }
    }),
  )
}

/** History packages: the previous seed of each compartment, sealed to its new key. */
export async function packageHistory(
  chain: ChainId,
  previous: Pick<EpochSecrets, 'compartments'>,
  next: EpochSecrets,
  epoch: number,
): Promise<EpochPackage[]> {
  return Promise.all(
    previous.compartments.map(async ({ id, seed }) => {
      const key = next.keys.find((candidate) => candidate.id === id)
      if (!key) throw new AmpereError('KEY_UNAVAILABLE', 'a compartment has no new key')
      const publicKey = fromBase64url(key.key)
      const sealed = await sealHistory({ chain, compartment: id, epoch, publicKey, previousSeed: seed })
      return { kind: 'history' as const, epoch, compartment: id, sealed: toBase64url(sealed) }
    }),
  )
}

function sealingKeyOf(reader: string, state: ControlState, records: RegistryView): Uint8Array {
  const devices = [...devicesOf(state.controllers), ...devicesOf(state.recovery)]
  const device = devices.find(({ kid }) => kid === reader)
  if (device) return fromBase64url(device.sealing)
  const institution = recordOf(records, 'institution', reader)
  if (!institution) throw new AmpereError('NOT_FOUND', 'a reader is not in the registry')
  return fromBase64url(institution.sealing.key)
}

/** A grant with its lists in canonical order. */
export function orderedGrant(grant: Grant): Grant {
  return { ...grant, rights: [...grant.rights].toSorted(), compartments: [...grant.compartments].toSorted() }
}
