// SPDX-License-Identifier: Apache-2.0
import { fromBase64url, toBase64url } from '../bytes/encoding.ts'
import type { ChainId, CompartmentId, Digest } from '../bytes/ids.ts'
import { frame } from '../bytes/frame.ts'
import type { KeyRow } from '../block/key-row.ts'
import { hpkeOpen, hpkeSeal } from '../crypto/hpke.ts'
import { createKeyWrapper, type KeyWrapper } from '../crypto/key-wrap.ts'
import { isAmpereError } from '../errors.ts'
import type { Random } from '../ports/keys.ts'

/** An entry's key, or why there is none: not this reader's, erased, or wrapped wrongly by its author. */
export type OpenedKey = Uint8Array | null | 'erased' | 'unopenable'

/** Wraps the keys of a block's entries: one random wrapping key per compartment, sealed to its epoch key. */
export async function sealKeys(input: {
  readonly chain: ChainId
  readonly root: Digest
  readonly epochKeys: readonly {
    readonly compartment: CompartmentId
    readonly epoch: number
    readonly publicKey: Uint8Array
  }[]
  readonly deks: readonly { readonly compartment: CompartmentId; readonly dek: Uint8Array }[]
  readonly random: Random
}): Promise<KeyRow> {
  const wrappers = new Map<CompartmentId, KeyWrapper>()
  const keys = [...input.epochKeys].toSorted((a, b) => (a.compartment < b.compartment ? -1 : 1))
  const envelopes = await Promise.all(
    keys.map(async ({ compartment, epoch, publicKey }) => {
      const kek = input.random(32)
      wrappers.set(compartment, await createKeyWrapper(kek))
      const sealed = await hpkeSeal(publicKey, wrapInfo(input.chain, compartment, epoch, input.root), kek)
      return { compartment, epoch, sealed: toBase64url(sealed) }
    }),
  )
  const wrapped = await Promise.all(
    input.deks.map(async ({ compartment, dek }) => {
      const wrapper = wrappers.get(compartment)
      if (!wrapper) throw new RangeError('an entry is in a compartment without an epoch key')
      return { wrapped: toBase64url(await wrapper.wrap(dek)) }
    }),
  )
  return { v: 1, envelopes, keys: wrapped }
}

/** Opens what a reader's seeds open, in the order of the row. `compartments[i]` is entry i's, from the descriptors. */
export async function openKeys(
  input: {
    readonly chain: ChainId
    readonly root: Digest
    readonly compartments: readonly CompartmentId[]
    readonly seedOf: (compartment: CompartmentId, epoch: number) => Uint8Array | null
  },
  row: KeyRow,
): Promise<OpenedKey[]> {
  const wrappers = new Map(
    await Promise.all(
      row.envelopes.map(async (item) => [item.compartment, await openEnvelope(input, item)] as const),
    ),
  )
  return Promise.all(
    row.keys.map(async (key, i): Promise<OpenedKey> => {
      if ('erased' in key) return 'erased'
      const compartment = input.compartments[i]
      const wrapper = compartment === undefined ? undefined : wrappers.get(compartment)
      if (wrapper === undefined || wrapper === 'unopenable') return 'unopenable'
      if (wrapper === null) return null
      return orUnopenable(wrapper.unwrap(fromBase64url(key.wrapped)))
    }),
  )
}

async function openEnvelope(
  input: Parameters<typeof openKeys>[0],
  envelope: KeyRow['envelopes'][number],
): Promise<KeyWrapper | null | 'unopenable'> {
  const seed = input.seedOf(envelope.compartment, envelope.epoch)
  if (!seed) return null
  const info = wrapInfo(input.chain, envelope.compartment, envelope.epoch, input.root)
  const kek = await orUnopenable(hpkeOpen(seed, info, fromBase64url(envelope.sealed)))
  return kek === 'unopenable' || kek.length !== 32 ? 'unopenable' : createKeyWrapper(kek)
}

async function orUnopenable(opening: Promise<Uint8Array>): Promise<Uint8Array | 'unopenable'> {
  try {
    return await opening
  } catch (error) {
    if (isAmpereError(error, 'OPEN_FAILED')) return 'unopenable'
    throw error
  }
}

function wrapInfo(chain: ChainId, compartment: CompartmentId, epoch: number, root: Digest): Uint8Array {
  return frame('ampere-wrap/v1', chain, compartment, epoch, root)
}
