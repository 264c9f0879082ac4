// SPDX-License-Identifier: Apache-2.0
import {
  openWrappedKeys,
  type KeptSeeds,
  type WrappedKeys,
  type WrappingKey,
} from '#adapters/wrapped/wrapped-keys.ts'
import { AmpereError } from '#core/errors.ts'
import type { Random } from '#core/ports/keys.ts'
import type { AppendTable } from '#core/ports/table.ts'
import type { Kms } from '../clients/kms.ts'
import { unwrapSeed, wrapSeed } from './kms-wrap.ts'

/** Under the name of its key, so that a policy can give a role one key (`dynamodb:LeadingKeys`). */
const SEED = 'seed'

export interface SoftwareKeysOptions {
  readonly kms: () => Promise<Kms>
  readonly table: AppendTable
  /** The symmetric key of KMS that wraps. */
  readonly wrappingKey: string
  readonly random: Random
  readonly makes: boolean
}

/** Software keys whose seeds lie in a table, wrapped by a key of KMS and bound to their names. */
export function awsSoftwareKeys({
  kms,
  table,
  wrappingKey,
  random,
  makes,
}: SoftwareKeysOptions): WrappedKeys {
  const wrapping: WrappingKey = {
    wrap: async (name, seed) => wrapSeed(await kms(), wrappingKey, name, seed),
    unwrap: async (name, wrapped) => unwrapSeed(await kms(), wrappingKey, name, wrapped),
  }
  const kept: KeptSeeds = {
    read: async (name) => (await table.get(name, SEED))?.value ?? null,
    keep: async (name, wrapped) =>
      (await table.insert(name, SEED, wrapped)) === 'inserted' ? 'kept' : 'exists',
  }
  return openWrappedKeys({ wrapping, kept, random, makes })
}

/** Where no table of software keys is named. */
export function noSoftwareKeys(): WrappedKeys {
  return (name) =>
    Promise.reject(
      new AmpereError(
        'KEY_UNAVAILABLE',
        `this deployment names no key of KMS and no software keys for ${name}`,
      ),
    )
}
