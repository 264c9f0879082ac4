// SPDX-License-Identifier: Apache-2.0
import { signingAlgorithm, type KeyName } from '#core/ports/needs.ts'
import { AZURE_NAMES, AZURE_NATIVE } from '#infra/permissions/azure/roles.ts'
import { custodyOf, grantsOf, grantsOfKind, type Custody } from '#infra/permissions/grants.ts'
import type { Identity } from '#infra/permissions/identities.ts'
import { after, API, filledIn, HERE, namesOf, VAULTS, type Resource } from './references.ts'
import type { AzureSettings } from './settings.ts'

/** Who deletes a vault by mistake has so long to take it back; nobody can purge it before. */
const DAYS_UNTIL_GONE = 90
const RSA_BITS = 3072

/** Names of vault keys by the names that roles have for them. */
export interface NamedKeys {
  readonly vault: Readonly<Partial<Record<KeyName, string>>>
  readonly software: {
    readonly container: string
    readonly wrappedBy: Readonly<Partial<Record<KeyName, string>>>
  }
}

/** The keys of identities, each once, with where it is. */
export function custodiesOf(identities: readonly Identity[]): ReadonlyMap<KeyName, Custody> {
  const held = identities.flatMap((identity) => grantsOfKind(grantsOf(identity), 'key'))
  const sorted = held.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return new Map(sorted.map(({ name, access }) => [name, custodyOf(name, access, AZURE_NATIVE)]))
}

/** What the adapters call the keys of these identities (adapters/azure, KeyNaming). */
export function keyNamingOf(identities: readonly Identity[]): NamedKeys {
  const held = [...custodiesOf(identities)]
  const software = held.filter(([, custody]) => custody === 'software')
  const native = held.filter(([, custody]) => custody !== 'software')
  return {
    vault: Object.fromEntries(native.map(([name]) => [name, AZURE_NAMES.key(name)])),
    software: {
      container: AZURE_NAMES.container('keys'),
      wrappedBy: Object.fromEntries(software.map(([name]) => [name, AZURE_NAMES.wrappingKey(name)])),
    },
  }
}

/** The vault: what signs by itself, and for each software key what wraps its seed. Rights are roles on single keys alone. */
export function keys({
  prefix,
  identities,
  publicNetworkAccess,
  vaultSku,
}: AzureSettings): readonly Resource[] {
  const { vault } = namesOf(prefix)
  return [
    {
      type: VAULTS,
      apiVersion: API.vault,
      name: filledIn(vault),
      location: HERE,
      properties: {
        tenantId: '[subscription().tenantId]',
        sku: { family: 'A', name: vaultSku },
        enableRbacAuthorization: true,
        enableSoftDelete: true,
        softDeleteRetentionInDays: DAYS_UNTIL_GONE,
        enablePurgeProtection: true,
        publicNetworkAccess,
        // Key Vault has TLS 1.2 and later only, and no setting for it.
        networkAcls: { bypass: 'None', defaultAction: publicNetworkAccess === 'Enabled' ? 'Allow' : 'Deny' },
      },
    },
    ...[...custodiesOf(identities)].map(([name, custody]) => key(vault, vaultSku, name, custody)),
  ]
}

function key(vault: string, sku: AzureSettings['vaultSku'], name: KeyName, custody: Custody): Resource {
  const called = custody === 'software' ? AZURE_NAMES.wrappingKey(name) : AZURE_NAMES.key(name)
  const hsm = sku === 'premium' ? '-HSM' : ''
  if (custody === 'service' && signingAlgorithm(name) !== 'ES256')
    throw new RangeError('a vault signs with P-256 alone')
  const kind =
    custody === 'service'
      ? { kty: `EC${hsm}`, curveName: 'P-256', keyOps: ['sign', 'verify'] }
      : { kty: `RSA${hsm}`, keySize: RSA_BITS, keyOps: ['wrapKey', 'unwrapKey'] }
  return {
    type: `${VAULTS}/keys`,
    apiVersion: API.vault,
    name: filledIn(`${vault}/${called}`),
    dependsOn: [after(VAULTS, vault)],
    properties: { ...kind, attributes: { enabled: true, exportable: false } },
  }
}
