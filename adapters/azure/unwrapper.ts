// SPDX-License-Identifier: Apache-2.0
import { fromHex, toHex } from '#core/bytes/encoding.ts'
import { concat } from '#core/bytes/frame.ts'
import { AmpereError, isAmpereError } from '#core/errors.ts'
import { once } from '#core/order/once.ts'
import type { Wrapper } from '#core/ports/keys.ts'
import { statusOf, translate } from './errors.ts'
import type { Vault } from './clients/vault.ts'
import { readKey } from './signer.ts'

/** A version of a vault key: 32 hexadecimal digits. */
const VERSION_BYTES = 16
/** Bytes that RSA with 2048, 3072 or 4096 bits makes of a seed. */
const RSA_BYTES: readonly number[] = [256, 384, 512]

/**
 * Wraps seeds by RSA-OAEP-256 under a key of Key Vault. Before what the vault gives stands the version of the key, so that
 * a key with a newer version still opens what is there. Who only unwraps needs no action but that.
 */
export function azureUnwrapper(vault: Vault, key: string): Wrapper {
  const newest = once(() => newestVersion(vault, key))
  return {
    wrap: async (seed) => {
      if (seed.length !== 32) throw new RangeError('a seed to wrap is 32 bytes')
      const copy = new Uint8Array(seed)
      const version = await newest()
      return concat(fromHex(version), await translate('vault', () => vault.wrap(key, version, copy)))
    },
    unwrap: async (wrapped) => {
      if (!RSA_BYTES.includes(wrapped.length - VERSION_BYTES)) throw unopened()
      const version = toHex(wrapped.subarray(0, VERSION_BYTES))
      const sealed = wrapped.slice(VERSION_BYTES)
      return translate('vault', async () => {
        try {
          const seed = await vault.unwrap(key, version, sealed)
          if (seed.length === 32) return new Uint8Array(seed)
        } catch (error) {
          // 400: the bytes do not open. 404: there is no such version, as its digits were changed or the key is gone.
          if (isAmpereError(error) || ![400, 404].includes(statusOf(error) ?? 0)) throw error
        }
        throw unopened()
      })
    },
  }
}

async function newestVersion(vault: Vault, key: string): Promise<string> {
  const version = (await readKey(vault, key)).properties.version ?? ''
  if (/^[0-9a-f]{32}$/.test(version)) return version
  throw new AmpereError('KEY_UNAVAILABLE', `the version of the vault key ${key} is not one`)
}

function unopened(): AmpereError {
  return new AmpereError('OPEN_FAILED', 'a wrapped key does not open')
}
