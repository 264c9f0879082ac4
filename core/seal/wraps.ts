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

/** Whose row it is, and the seeds of who opens it. */
export interface KeyOpening {
  readonly chain: ChainId
  readonly root: Digest
  /** `compartments[i]` is entry i's, from the descriptors. */
  readonly compartments: readonly CompartmentId[]
  /** The seed of a compartment's epoch key; null is "not this reader's". */
  readonly seedOf: (compartment: CompartmentId, epoch: number) => Uint8Array | null
}

/** Opens single keys of a row: one HPKE opening per compartment that is asked for, whatever the number of keys. */
export function createKeyOpener(input: KeyOpening, row: KeyRow): { open(index: number): Promise<OpenedKey> } {
  const wrappers = new Map<CompartmentId, ReturnType<typeof openWrappingKey>>()
  const wrapperOf = (compartment: CompartmentId) => {
    const envelope = row.envelopes.find((item) => item.compartment === compartment)
    if (!envelope) return Promise.resolve('unopenable' as const)
    const wrapper = wrappers.get(compartment) ?? openWrappingKey(input, envelope)
    wrappers.set(compartment, wrapper)
    return wrapper
  }
  return {
    open: async (index) => {
      const key = row.keys[index]
      const compartment = input.compartments[index]
      if (!key) throw new RangeError('no such entry')
      if ('erased' in key) return 'erased'
      const wrapper = compartment === undefined ? 'unopenable' : await wrapperOf(compartment)
      if (wrapper === null || wrapper === 'unopenable') return wrapper
      return orUnopenable(wrapper.unwrap(fromBase64url(key.wrapped)))
    },
  }
}

/** Opens what a reader's seeds open, in the order of the row. */
export function openKeys(input: KeyOpening, row: KeyRow): Promise<OpenedKey[]> {
  const opener = createKeyOpener(input, row)
  return Promise.all(row.keys.map((_, index) => opener.open(index)))
}

/** A compartment's wrapping key, ready to unwrap; null without a seed. */
export async function openWrappingKey(
  input: Pick<KeyOpening, 'chain' | 'root' | 'seedOf'>,
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
