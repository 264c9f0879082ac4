// SPDX-License-Identifier: Apache-2.0
import type * as keyVault from '@azure/keyvault-keys'
import type { CryptographyClient, KeyVaultKey } from '@azure/keyvault-keys'
import { once } from '#core/order/once.ts'
import { credentialFor, silenceLogs, type Identity } from './credential.ts'
import type { AzureNaming } from './naming.ts'
import type { Transport } from './transport.ts'

/** The version of Key Vault's REST API that is spoken; another SDK must not change it unseen. */
export const VAULT_API_VERSION = '7.6'
/** Clients of key versions that are kept; bytes that name made-up versions must not fill the memory. */
const KEPT_VERSIONS = 32

/** The keys of one vault. The package is loaded when the first is used. */
export interface Vault {
  /** The newest version of a key, with its public half. */
  read(key: string): Promise<KeyVaultKey>
  sign(key: string, version: string, digest: Uint8Array): Promise<Uint8Array>
  wrap(key: string, version: string, seed: Uint8Array): Promise<Uint8Array>
  unwrap(key: string, version: string, wrapped: Uint8Array): Promise<Uint8Array>
}

export function openVault(naming: AzureNaming, identity: Identity, transport: Transport): Vault {
  const url = naming.vaultUrl.replace(/\/$/, '')
  const credential = credentialFor('vault', identity)
  const options = {
    httpClient: transport.client('vault', naming.vaultUrl),
    serviceVersion: VAULT_API_VERSION,
    // Retries are the caller's.
    retryOptions: { maxRetries: 0 },
  }
  const keys = once(async () => {
    const { KeyClient: Client } = await loadKeys()
    return new Client(url, credential, options)
  })
  const using = new Map<string, CryptographyClient>()
  const version = async (name: string, of: string): Promise<CryptographyClient> => {
    const id = `${url}/keys/${name}/${of}`
    const known = using.get(id)
    if (known) return known
    const { CryptographyClient: Client } = await loadKeys()
    // By its id alone the client would first read the key, which is another action.
    const properties = { name, vaultUrl: url, version: of, id }
    const made = new Client({ name, id, key: { kid: id }, properties }, credential, { ...options })
    if (using.size < KEPT_VERSIONS) using.set(id, made)
    return made
  }
  return {
    read: async (key) => (await keys()).getKey(key),
    sign: async (key, of, digest) => (await (await version(key, of)).sign('ES256', digest)).result,
    wrap: async (key, of, seed) => (await (await version(key, of)).wrapKey('RSA-OAEP-256', seed)).result,
    unwrap: async (key, of, wrapped) =>
      (await (await version(key, of)).unwrapKey('RSA-OAEP-256', wrapped)).result,
  }
}

async function loadKeys(): Promise<typeof keyVault> {
  const loaded = await import('@azure/keyvault-keys')
  await silenceLogs()
  return loaded
}
