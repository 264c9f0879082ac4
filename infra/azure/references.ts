// SPDX-License-Identifier: Apache-2.0

/** A resource of an ARM template. */
export interface Resource {
  readonly type: string
  readonly apiVersion: string
  readonly name: string
  readonly location?: string
  /** Of an extension resource, the resource that it belongs to. */
  readonly scope?: string
  readonly dependsOn?: readonly string[]
  readonly [member: string]: unknown
}

/** API versions; those of roles, stores, keys and functions were seen to validate, the others are [unchecked]. */
export const API = {
  authorization: '2022-04-01',
  budget: '2023-11-01',
  cosmos: '2026-03-15',
  identity: '2023-01-31',
  insights: '2020-02-02',
  logs: '2023-09-01',
  metricAlert: '2018-03-01',
  actionGroup: '2023-01-01',
  management: '2022-08-01',
  queryAlert: '2023-12-01',
  storage: '2025-06-01',
  vault: '2026-02-01',
  web: '2024-11-01',
} as const

/** In a text, what ARM fills in: an expression between `${` and `}`. */
const FILLED = /\$\{([^{}]+)\}/

/** A text with expressions as one that ARM fills in; a text without is itself. */
export function filledIn(text: string): string {
  const parts = text.split(FILLED)
  if (parts.length === 1) return text.startsWith('[') ? `[${text}` : text
  const quoted = parts.map((part, at) => (at % 2 === 1 ? part : `'${part.replaceAll("'", "''")}'`))
  const needed = quoted.filter((part) => part !== "''")
  return needed.length === 1 ? `[${needed[0]}]` : `[concat(${needed.join(', ')})]`
}

/** The same in an expression. */
export function expressionOf(text: string): string {
  const filled = filledIn(text)
  return filled.startsWith('[') ? filled.slice(1, -1) : `'${filled}'`
}

/** A text of 13 letters and digits that is this deployment's own in the world: accounts need one. */
function unique(prefix: string, of = ''): string {
  return `\${uniqueString(resourceGroup().id, '${prefix}${of}')}`
}

/** Names of what there is one of. */
export function namesOf(prefix: string) {
  return {
    cosmos: `${prefix}-${unique(prefix)}`,
    objects: `ampereobj${unique(prefix)}`,
    // A vault has 24 characters, and keeps its name for 90 days after it was deleted.
    vault: `ampere-${unique(prefix)}`,
    front: `${prefix}-${unique(prefix)}`,
    workspace: `${prefix}-logs`,
    insights: `${prefix}-insights`,
    actions: `${prefix}-alarms`,
    app: (role: string) => `${prefix}-${role}-${unique(prefix)}`,
    plan: (role: string) => `${prefix}-${role}`,
    identity: (role: string) => `${prefix}-${role}`,
    /** The account of a role's package and of what its host keeps: no role can write another's code. */
    host: (role: string) => `ampere${unique(prefix, `-${role}`)}`,
  }
}

/** The expression of a resource's id. */
export function idOf(type: string, ...names: readonly string[]): string {
  return `resourceId('${type}', ${names.map(expressionOf).join(', ')})`
}

/** As `dependsOn` has it. */
export function after(type: string, ...names: readonly string[]): string {
  return `[${idOf(type, ...names)}]`
}

export const HERE = '[resourceGroup().location]'
export const IDENTITIES = 'Microsoft.ManagedIdentity/userAssignedIdentities'
export const COSMOS = 'Microsoft.DocumentDB/databaseAccounts'
export const STORAGE = 'Microsoft.Storage/storageAccounts'
export const VAULTS = 'Microsoft.KeyVault/vaults'
export const SITES = 'Microsoft.Web/sites'

/** What only Azure knows of a role's identity. */
export function ofIdentity(prefix: string, role: string, member: 'principalId' | 'clientId'): string {
  return `reference(${idOf(IDENTITIES, namesOf(prefix).identity(role))}, '${API.identity}').${member}`
}
