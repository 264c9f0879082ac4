// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '#core/errors.ts'
import type { KeyName } from '#core/ports/needs.ts'

/** Where a deployment's tables, objects and keys are. Nothing here is a secret. */
export interface AzureNaming {
  /** `https://ACCOUNT.documents.azure.com`, of an account with one write region and strong consistency by default. */
  readonly cosmosEndpoint: string
  readonly database: string
  /** Before each table's name, which is that of its container; none where it is left out. */
  readonly containerPrefix?: string
  /** `https://ACCOUNT.blob.core.windows.net`. */
  readonly blobEndpoint: string
  /** Before each object store's name, which is that of its blob container; none where it is left out. */
  readonly blobPrefix?: string
  /** `https://VAULT.vault.azure.net`. */
  readonly vaultUrl: string
  readonly keys: KeyNaming
}

/** Which key of the vault is behind each key of a role. A vault key serves one name, so that one name's seed opens under no other. */
export interface KeyNaming {
  /** What the vault itself signs with (P-256), and unwraps with (RSA, for `sealing`). */
  readonly vault: Readonly<Partial<Record<KeyName, string>>>
  readonly software: {
    /** Container with the wrapped seeds; `containerPrefix` is not put before it. */
    readonly container: string
    /** The RSA key that wraps each seed. */
    readonly wrappedBy: Readonly<Partial<Record<KeyName, string>>>
  }
}

/** The services whose clients send requests. */
export type AzureService = 'cosmos' | 'blob' | 'vault'

/** What people call each service, and where the naming has its address. */
export const SERVICES = {
  cosmos: { title: 'Cosmos DB', endpoint: 'cosmosEndpoint' },
  blob: { title: 'Blob Storage', endpoint: 'blobEndpoint' },
  vault: { title: 'Key Vault', endpoint: 'vaultUrl' },
} as const satisfies Record<AzureService, { readonly title: string; readonly endpoint: keyof AzureNaming }>

/** Names of containers and keys that no URL changes. */
const NAME = /^[A-Za-z0-9-]{1,127}$/

/** @throws AmpereError CONFIGURATION for an address that is not one, or that is reached without TLS on another computer */
export function checkNaming(naming: AzureNaming): void {
  for (const { title, endpoint } of Object.values(SERVICES)) {
    const url = URL.canParse(naming[endpoint]) ? new URL(naming[endpoint]) : null
    const isLocal = url?.protocol === 'http:' && /^(127\.0\.0\.1|localhost|\[::1\])$/.test(url.hostname)
    if (url?.protocol !== 'https:' && !isLocal)
      throw new AmpereError('CONFIGURATION', `${endpoint}, the address of ${title}, is not an https URL`)
  }
  const { vault, software } = naming.keys
  const keys = [...Object.values(vault), ...Object.values(software.wrappedBy)]
  const bad = [naming.database, software.container, ...keys].find((name) => !NAME.test(name))
  if (bad !== undefined)
    throw new AmpereError(
      'CONFIGURATION',
      `${JSON.stringify(bad)} is no name of a database, container or key`,
    )
  const shared = keys.find((name, at) => keys.indexOf(name) !== at)
  if (shared !== undefined)
    throw new AmpereError('CONFIGURATION', `the vault key ${shared} is named for two uses: each has its own`)
}
