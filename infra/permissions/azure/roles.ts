// SPDX-License-Identifier: Apache-2.0
import type { KeyName, ObjectsName, TableName } from '#core/ports/needs.ts'
import type { SignatureAlgorithm } from '#core/ports/keys.ts'
import type { ObjectAccess } from '#core/ports/objects.ts'
import type { TableAccess } from '#core/ports/table.ts'
import { custodyOf, grantsOf, grantsOfKind, type Grant } from '../grants.ts'
import type { Identity } from '../identities.ts'

/** The names in one deployment, each without the account that it is in. */
export interface AzureNames {
  readonly database: string
  readonly container: (name: TableName | 'keys' | 'leases') => string
  readonly blobContainer: (name: ObjectsName) => string
  /** A vault key that signs, or unwraps what `sealing` opens. */
  readonly key: (name: KeyName) => string
  /** The vault key that wraps the seed of one software key. RSA-OAEP binds no name, so each seed has its own. */
  readonly wrappingKey: (name: KeyName) => string
}

/** Names as adapters use them where nothing else is configured. */
export const AZURE_NAMES: AzureNames = {
  database: 'ampere',
  container: (name) => name,
  blobContainer: (name) => name,
  key: (name) => name,
  wrappingKey: (name) => `wrap-${name}`,
}

export type AzureService = 'cosmos' | 'blob' | 'vault'

/** Data actions that go together. `cosmos` roles belong to the account of Cosmos DB, all others to Azure. */
export interface RoleDefinition {
  readonly name: string
  readonly service: AzureService
  readonly dataActions: readonly string[]
  /** Actions that are of an account and not of its data. */
  readonly actions?: readonly string[]
}

/** That an identity has a role for one container or key; `scope` is what follows the id of the account or vault, empty for all of it. */
export interface RoleAssignment {
  readonly role: RoleName
  readonly scope: string
}

/** A vault signs with P-256 alone, of what a deployment uses. */
export const AZURE_NATIVE: readonly SignatureAlgorithm[] = ['ES256']

const COSMOS = 'Microsoft.DocumentDB/databaseAccounts'
const CONTAINERS = `${COSMOS}/sqlDatabases/containers`
const BLOBS = 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs'
const KEYS = 'Microsoft.KeyVault/vaults/keys'
const READ = [`${COSMOS}/readMetadata`, `${CONTAINERS}/executeQuery`, `${CONTAINERS}/items/read`]
const APPEND = [...READ, `${CONTAINERS}/items/create`]
const WRITE = [...APPEND, `${CONTAINERS}/items/delete`, `${CONTAINERS}/items/replace`]

/**
 * Every role there is. `store` has `write` and not `add/action`: large objects are sent in blocks, which are staged and
 * committed with `write`; that an object is never replaced is If-None-Match's to say, not the role's.
 */
export const AZURE_ROLES = {
  'table-read': { service: 'cosmos', dataActions: READ },
  'table-append': { service: 'cosmos', dataActions: APPEND },
  'table-write': { service: 'cosmos', dataActions: WRITE },
  'changes-read': { service: 'cosmos', dataActions: [...READ, `${CONTAINERS}/readChangeFeed`] },
  'changes-lease': { service: 'cosmos', dataActions: [...WRITE, `${CONTAINERS}/items/upsert`] },
  'objects-fetch': { service: 'blob', dataActions: [`${BLOBS}/read`] },
  'objects-store': { service: 'blob', dataActions: [`${BLOBS}/read`, `${BLOBS}/write`] },
  'objects-shred': { service: 'blob', dataActions: [`${BLOBS}/delete`, `${BLOBS}/read`, `${BLOBS}/write`] },
  /** Azure: Create a user delegation SAS. The key is the account's, and signs no more than its identity may do itself. */
  'uploads-sign': {
    service: 'blob',
    actions: ['Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action'],
    dataActions: [],
  },
  'key-sign': { service: 'vault', dataActions: [`${KEYS}/read`, `${KEYS}/sign/action`] },
  'key-unwrap': { service: 'vault', dataActions: [`${KEYS}/unwrap/action`] },
  'key-wrap': {
    service: 'vault',
    dataActions: [`${KEYS}/read`, `${KEYS}/unwrap/action`, `${KEYS}/wrap/action`],
  },
  'key-public': { service: 'vault', dataActions: [`${KEYS}/read`] },
} as const satisfies Readonly<Record<string, Omit<RoleDefinition, 'name'>>>
export type RoleName = keyof typeof AZURE_ROLES

/** Of a role's access to a kind of thing, its name. */
export const TABLE_ROLES: Readonly<Record<TableAccess, RoleName>> = {
  read: 'table-read',
  append: 'table-append',
  write: 'table-write',
}
export const OBJECT_ROLES: Readonly<Record<ObjectAccess, RoleName>> = {
  fetch: 'objects-fetch',
  store: 'objects-store',
  shred: 'objects-shred',
}

/** The definitions that these assignments use, in the order of their names. */
export function roleDefinitions(assignments: readonly RoleAssignment[]): readonly RoleDefinition[] {
  const names = [...new Set(assignments.map(({ role }) => role))].toSorted()
  return names.map((name) => ({ name, ...AZURE_ROLES[name] }))
}

/** All that a role permits. */
export function actionsOf(role: RoleName): readonly string[] {
  const { actions = [], dataActions }: Omit<RoleDefinition, 'name'> = AZURE_ROLES[role]
  return [...actions, ...dataActions]
}

/** What an identity is assigned: each role for one container or one key, in a fixed order. */
export function assignmentsOf(
  identity: Identity,
  names: AzureNames = AZURE_NAMES,
): readonly RoleAssignment[] {
  return grantsOf(identity).flatMap((grant) => assigned(grant, names))
}

/**
 * What whoever sets a deployment up is assigned: it makes the software keys of these identities, reads public keys, and where there is a
 * registry begins it.
 */
export function setUpAssignments(
  identities: readonly Identity[],
  names: AzureNames = AZURE_NAMES,
): readonly RoleAssignment[] {
  const keys = identities.flatMap((identity) => grantsOfKind(grantsOf(identity), 'key'))
  const each = new Map(keys.map((key) => [key.name, key]))
  const assignments = [...each.values()]
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((key) => {
      const custody = custodyOf(key.name, key.access, AZURE_NATIVE)
      if (custody === 'service') return { role: 'key-public', scope: keyScope(names.key(key.name)) } as const
      const wraps = custody === 'software' ? names.wrappingKey(key.name) : names.key(key.name)
      return { role: 'key-wrap', scope: keyScope(wraps) } as const
    })
  const makes = keys.some(({ name, access }) => custodyOf(name, access, AZURE_NATIVE) === 'software')
  const seeds = { role: 'table-append', scope: containerScope(names, names.container('keys')) } as const
  const begins = identities.some(({ needs }) => needs.tables.registry === 'append')
  const registry = {
    role: 'table-append',
    scope: containerScope(names, names.container('registry')),
  } as const
  return [...(begins ? [registry] : []), ...(makes ? [seeds] : []), ...assignments]
}

function assigned(grant: Grant, names: AzureNames): readonly RoleAssignment[] {
  switch (grant.kind) {
    case 'table':
      return [{ role: TABLE_ROLES[grant.access], scope: containerScope(names, names.container(grant.name)) }]
    case 'objects':
      return [
        {
          role: OBJECT_ROLES[grant.access],
          scope: `blobServices/default/containers/${names.blobContainer(grant.name)}`,
        },
      ]
    case 'signs':
      return [{ role: 'uploads-sign', scope: '' }]
    case 'changes':
      return [
        { role: 'changes-read', scope: containerScope(names, names.container(grant.name)) },
        { role: 'changes-lease', scope: containerScope(names, names.container('leases')) },
      ]
    case 'key':
      return ofKey(grant, names)
  }
}

function ofKey(
  { name, access }: Extract<Grant, { kind: 'key' }>,
  names: AzureNames,
): readonly RoleAssignment[] {
  switch (custodyOf(name, access, AZURE_NATIVE)) {
    case 'service':
      return [{ role: 'key-sign', scope: keyScope(names.key(name)) }]
    case 'unwraps':
      return [{ role: 'key-unwrap', scope: keyScope(names.key(name)) }]
    case 'software':
      // Roles of Cosmos DB end at a container, so a seed of another can be read; it opens with its own vault key alone.
      return [
        { role: 'table-read', scope: containerScope(names, names.container('keys')) },
        { role: 'key-unwrap', scope: keyScope(names.wrappingKey(name)) },
      ]
  }
}

function containerScope({ database }: AzureNames, container: string): string {
  return `dbs/${database}/colls/${container}`
}

function keyScope(key: string): string {
  return `keys/${key}`
}
