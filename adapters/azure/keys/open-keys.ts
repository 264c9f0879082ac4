// SPDX-License-Identifier: Apache-2.0
import { openWrappedKeys } from '#adapters/wrapped/wrapped-keys.ts'
import { AmpereError } from '#core/errors.ts'
import { onceEach } from '#core/order/once.ts'
import type { Random, Signer, Wrapper } from '#core/ports/keys.ts'
import { checkUnwraps, signingAlgorithm, type KeyName } from '#core/ports/needs.ts'
import type { WriteTable } from '#core/ports/table.ts'
import type { KeyNaming } from '../clients/naming.ts'
import type { Vault } from '../clients/vault.ts'
import { azureSigner } from '../signer.ts'
import { azureUnwrapper } from '../unwrapper.ts'

/** The one partition of the container with wrapped seeds. */
const SEEDS_PARTITION = 'keys'

export interface KeysOptions {
  readonly vault: Vault
  /** Where wrapped seeds are kept. */
  readonly seeds: WriteTable
  readonly random: Random
  readonly makes: boolean
}

export interface Keys {
  signer(name: KeyName): Promise<Signer>
  unwrapper(name: KeyName): Promise<Wrapper>
}

/**
 * The keys of a deployment: in the vault what it signs with itself, else seeds that it wraps. Each is opened once; what
 * failed is tried anew by the next call.
 */
export function openKeys(naming: KeyNaming, { vault, seeds, random, makes }: KeysOptions): Keys {
  const wrapping = (name: KeyName) => azureUnwrapper(vault, keyNamed(naming.software.wrappedBy, name))
  const software = openWrappedKeys({
    wrapping: {
      wrap: async (name, seed) => wrapping(name).wrap(seed),
      unwrap: async (name, wrapped) => wrapping(name).unwrap(wrapped),
    },
    kept: {
      read: async (name) => (await seeds.get(SEEDS_PARTITION, name))?.value ?? null,
      keep: async (name, wrapped) =>
        (await seeds.insert(SEEDS_PARTITION, name, wrapped)) === 'inserted' ? 'kept' : 'exists',
    },
    random,
    makes,
  })
  const opened = onceEach((name: KeyName) => azureSigner(vault, keyNamed(naming.vault, name)))
  return {
    signer: async (name) => {
      const alg = signingAlgorithm(name)
      if (naming.vault[name] === undefined) return software(name)
      if (alg !== 'ES256')
        throw new AmpereError('CONFIGURATION', `a vault cannot sign as the key ${name} does`)
      return opened(name)
    },
    unwrapper: async (name) => {
      checkUnwraps(name)
      return azureUnwrapper(vault, keyNamed(naming.vault, name))
    },
  }
}

function keyNamed(names: Readonly<Partial<Record<KeyName, string>>>, name: KeyName): string {
  const key = names[name]
  if (key !== undefined) return key
  throw new AmpereError('KEY_UNAVAILABLE', `no vault key is named for the key ${name}`)
}
