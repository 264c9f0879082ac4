// SPDX-License-Identifier: Apache-2.0
import type { KeyVaultKey } from '@azure/keyvault-keys'
import { createHash } from 'node:crypto'
import { toBase64url } from '#core/bytes/encoding.ts'
import { thumbprint } from '#core/crypto/jwk.ts'
import { normalizeLowS } from '#core/crypto/signature.ts'
import { AmpereError } from '#core/errors.ts'
import type { PublicJwk, Signer } from '#core/ports/keys.ts'
import type { Vault } from './clients/vault.ts'
import { statusOf, translate } from './errors.ts'

/**
 * Signs with a P-256 key of Key Vault, by the version that is the newest when it is opened: one that is made later signs
 * in processes that start later. The digest goes there, the bytes stay here.
 * @throws AmpereError KEY_UNAVAILABLE
 */
export async function azureSigner(vault: Vault, key: string): Promise<Signer> {
  const found = await readKey(vault, key)
  const publicKey = publicKeyOf(found)
  const version = found.properties.version ?? ''
  return {
    alg: 'ES256',
    kid: thumbprint(publicKey),
    publicKey,
    sign: async (bytes) => {
      const digest = createHash('sha256').update(bytes).digest()
      const signature = await translate('vault', () => vault.sign(key, version, digest))
      return translate('vault', async () => normalizeLowS(signature))
    },
  }
}

/** The newest version of a key. @throws AmpereError KEY_UNAVAILABLE */
export async function readKey(vault: Vault, key: string): Promise<KeyVaultKey> {
  return translate('vault', async () => {
    try {
      return await vault.read(key)
    } catch (error) {
      throw statusOf(error) === 404 ? noSuchKey(key) : error
    }
  })
}

/** A vault without the key. */
export function noSuchKey(key: string): AmpereError {
  return new AmpereError(
    'KEY_UNAVAILABLE',
    `the vault has no key ${key}: it is made when a deployment is set up`,
  )
}

function publicKeyOf({ name, key = {} }: KeyVaultKey): PublicJwk {
  const { kty, crv, x, y } = key
  if ((kty !== 'EC' && kty !== 'EC-HSM') || crv !== 'P-256' || x?.length !== 32 || y?.length !== 32)
    throw new AmpereError('KEY_UNAVAILABLE', `the vault key ${name} is not a P-256 key`)
  return { kty: 'EC', crv: 'P-256', x: toBase64url(x), y: toBase64url(y) }
}
