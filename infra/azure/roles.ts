// SPDX-License-Identifier: Apache-2.0
import {
  assignmentsOf,
  AZURE_NAMES,
  AZURE_ROLES,
  roleDefinitions,
  setUpAssignments,
  type RoleAssignment,
  type RoleDefinition,
} from '#infra/permissions/azure/roles.ts'
import {
  after,
  API,
  COSMOS,
  expressionOf,
  HERE,
  IDENTITIES,
  idOf,
  namesOf,
  ofIdentity,
  STORAGE,
  VAULTS,
  type Resource,
} from './references.ts'
import type { AzureSettings } from './settings.ts'

const DEFINITIONS = 'Microsoft.Authorization/roleDefinitions'
const ASSIGNMENTS = 'Microsoft.Authorization/roleAssignments'
/** Of Azure itself (Azure built-in roles). */
const BUILT_IN = {
  /** What a host needs of its own account (Functions, connecting to host storage with an identity). */
  blobOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
  publisher: '3913510d-42f4-4e42-8a64-420c390055eb',
} as const

/** Who is assigned something: its name here, the expression of its principal, and what must be there before. */
interface Principal {
  readonly name: string
  readonly id: string
  readonly type: 'ServicePrincipal' | 'User'
  readonly dependsOn: readonly string[]
}

/** One identity for each role, and nobody else's. */
export function identities({ prefix, identities: all }: AzureSettings): readonly Resource[] {
  return all.map(({ name }) => ({
    type: IDENTITIES,
    apiVersion: API.identity,
    name: namesOf(prefix).identity(name),
    location: HERE,
  }))
}

/** Definitions and assignments, exactly those that needs give, and those with which a host reaches its own account and its telemetry. */
export function roles(settings: AzureSettings): readonly Resource[] {
  const { prefix } = settings
  const assigned = settings.identities.map(
    (identity) => [principalOf(prefix, identity.name), eachOnce(assignmentsOf(identity))] as const,
  )
  const operator = operatorOf(settings)
  const taken: typeof assigned = operator
    ? [[operator, [...eachOnce(setUpAssignments(settings.identities)), ...moverAssignments(settings)]]]
    : []
  const all = [...assigned, ...taken, [backupOf(settings), backupAssignments(settings)] as const]
  return [
    ...roleDefinitions(all.flatMap(([, each]) => each)).map((one) => definition(prefix, one)),
    ...all.flatMap(([principal, each]) => each.map((one) => assignment(prefix, principal, one))),
    ...assigned.flatMap(([principal]) => ofHost(prefix, principal)),
  ]
}

/**
 * The expression of the ids of what whoever migrates a home is assigned for that alone, with blanks between them: a deployment
 * takes nothing back by itself, so it is to be deleted after the move.
 */
export function movedBy(settings: AzureSettings): string {
  const operator = operatorOf(settings)
  return idsOf(settings, operator ? moverAssignments(settings).map((one) => [operator, one]) : [])
}

/** The expression of the ids of what whoever backs the home up is assigned: it stays until another is named. */
export function backedUpBy(settings: AzureSettings): string {
  return idsOf(
    settings,
    backupAssignments(settings).map((one) => [backupOf(settings), one]),
  )
}

function idsOf(
  { prefix }: AzureSettings,
  assigned: readonly (readonly [Principal, RoleAssignment])[],
): string {
  const ids = assigned.map(([principal, one]) => assignmentId(prefix, principal, one))
  return ids.length === 0 ? '' : `[concat(${ids.join(", ' ', ")})]`
}

/** Whoever deploys: by its id, so that another is assigned anew, because an assignment never changes whose it is. */
function operatorOf({ setUpPrincipal, setUpKind }: AzureSettings): Principal | null {
  if (setUpPrincipal === '') return null
  return { name: `setup ${setUpPrincipal}`, id: `'${setUpPrincipal}'`, type: setUpKind, dependsOn: [] }
}

function backupOf({ backupPrincipal, backupKind }: AzureSettings): Principal {
  return { name: `backup ${backupPrincipal}`, id: `'${backupPrincipal}'`, type: backupKind, dependsOn: [] }
}

function backupAssignments({ backup }: AzureSettings): readonly RoleAssignment[] {
  return eachOnce(backup ? assignmentsOf(backup) : [])
}

/** What setting up does not need, and backing up, where that is the same person's: Azure refuses what was assigned before. */
function moverAssignments(settings: AzureSettings): readonly RoleAssignment[] {
  const { identities: all, mover, setUpPrincipal, backupPrincipal } = settings
  const backs = setUpPrincipal === backupPrincipal ? backupAssignments(settings) : []
  const known = new Set([...setUpAssignments(all), ...backs].map(({ role, scope }) => `${role} ${scope}`))
  return eachOnce(mover ? assignmentsOf(mover) : []).filter(
    ({ role, scope }) => !known.has(`${role} ${scope}`),
  )
}

function assignmentId(prefix: string, principal: Principal, one: RoleAssignment): string {
  const { scope } = assignment(prefix, principal, one)
  const name = guid(prefix, principal.name, one.role, one.scope)
  if (scope === undefined)
    return `resourceId('${COSMOS}/sqlRoleAssignments', ${expressionOf(namesOf(prefix).cosmos)}, ${name})`
  return `concat(${scope.slice(1, -1)}, '/providers/${ASSIGNMENTS}/', ${name})`
}

/** Two software keys lie in one container: Azure refuses what was assigned before. */
function eachOnce(assignments: readonly RoleAssignment[]): readonly RoleAssignment[] {
  return [...new Map(assignments.map((one) => [`${one.role} ${one.scope}`, one])).values()]
}

function principalOf(prefix: string, role: string): Principal {
  return {
    name: role,
    id: ofIdentity(prefix, role, 'principalId'),
    type: 'ServicePrincipal',
    dependsOn: [after(IDENTITIES, namesOf(prefix).identity(role))],
  }
}

/** The expression of a GUID that is the same each time. */
function guid(prefix: string, ...of: readonly string[]): string {
  return `guid(resourceGroup().id, '${prefix}', ${of.map((one) => `'${one}'`).join(', ')})`
}

function definition(prefix: string, { name, service, actions = [], dataActions }: RoleDefinition): Resource {
  const { cosmos } = namesOf(prefix)
  const id = guid(prefix, name)
  const common = { roleName: `[concat('${prefix} ${name} ', uniqueString(resourceGroup().id))]` }
  if (service === 'cosmos')
    return {
      type: `${COSMOS}/sqlRoleDefinitions`,
      apiVersion: API.cosmos,
      name: `[concat(${expressionOf(cosmos)}, '/', ${id})]`,
      dependsOn: [after(COSMOS, cosmos)],
      properties: {
        ...common,
        type: 'CustomRole',
        assignableScopes: [after(COSMOS, cosmos)],
        permissions: [{ dataActions }],
      },
    }
  return {
    type: DEFINITIONS,
    apiVersion: API.authorization,
    name: `[${id}]`,
    properties: {
      ...common,
      type: 'CustomRole',
      assignableScopes: ['[resourceGroup().id]'],
      permissions: [{ actions, notActions: [], dataActions, notDataActions: [] }],
    },
  }
}

function assignment(prefix: string, principal: Principal, { role, scope }: RoleAssignment): Resource {
  const { cosmos, objects, vault } = namesOf(prefix)
  const { service } = AZURE_ROLES[role]
  const name = guid(prefix, principal.name, role, scope)
  if (service === 'cosmos') {
    const roleId = `resourceId('${COSMOS}/sqlRoleDefinitions', ${expressionOf(cosmos)}, ${guid(prefix, role)})`
    const [, , , container = ''] = scope.split('/')
    const table = after(`${COSMOS}/sqlDatabases/containers`, cosmos, AZURE_NAMES.database, container)
    return {
      type: `${COSMOS}/sqlRoleAssignments`,
      apiVersion: API.cosmos,
      name: `[concat(${expressionOf(cosmos)}, '/', ${name})]`,
      dependsOn: [`[${roleId}]`, table, ...principal.dependsOn],
      properties: {
        roleDefinitionId: `[${roleId}]`,
        principalId: `[${principal.id}]`,
        scope: `[concat(${idOf(COSMOS, cosmos)}, '/${scope}')]`,
      },
    }
  }
  const [last = ''] = scope.split('/').slice(-1)
  const container = () => idOf(`${STORAGE}/blobServices/containers`, objects, 'default', last)
  const blobs = () => (scope === '' ? idOf(STORAGE, objects) : container())
  const on = service === 'blob' ? blobs() : idOf(`${VAULTS}/keys`, vault, last)
  const roleId = `resourceId('${DEFINITIONS}', ${guid(prefix, role)})`
  return granted(principal, { name, roleId, on, dependsOn: [`[${roleId}]`] })
}

function ofHost(prefix: string, principal: Principal): readonly Resource[] {
  const { host, insights } = namesOf(prefix)
  const on = {
    blobOwner: idOf(STORAGE, host(principal.name)),
    publisher: idOf('Microsoft.Insights/components', insights),
  }
  return (['blobOwner', 'publisher'] as const).map((role) =>
    granted(principal, {
      name: guid(prefix, principal.name, role),
      roleId: `subscriptionResourceId('${DEFINITIONS}', '${BUILT_IN[role]}')`,
      on: on[role],
      dependsOn: [],
    }),
  )
}

function granted(
  principal: Principal,
  grant: {
    readonly name: string
    readonly roleId: string
    /** The expression of the id of what the role is for. */
    readonly on: string
    readonly dependsOn: readonly string[]
  },
): Resource {
  return {
    type: ASSIGNMENTS,
    apiVersion: API.authorization,
    name: `[${grant.name}]`,
    scope: `[${grant.on}]`,
    dependsOn: [`[${grant.on}]`, ...grant.dependsOn, ...principal.dependsOn],
    properties: {
      roleDefinitionId: `[${grant.roleId}]`,
      principalId: `[${principal.id}]`,
      principalType: principal.type,
    },
  }
}
