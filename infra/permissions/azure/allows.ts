// SPDX-License-Identifier: Apache-2.0
import { actionsOf, AZURE_ROLES, type AzureService, type RoleAssignment } from './roles.ts'

/** One request to Azure, as role-based access control sees it. */
export interface AzureCall {
  readonly service: AzureService
  /** The action that it needs, of data in all cases but one. */
  readonly operation: string
  /** The end of the scope, for example `dbs/ampere/colls/blocks`, `blobServices/default/containers/log`, `keys/instance`. */
  readonly resource: string
}

/** One action for one container or key. */
export interface AzurePermission extends AzureCall {
  readonly role: string
}

/**
 * True where an assignment allows the request. That a client of Cosmos DB asks the account where its regions are, any
 * role within the account allows: what readMetadata tells depends on the scope that it was assigned at.
 */
export function allows(assignments: readonly RoleAssignment[], call: AzureCall): boolean {
  const [metadata] = AZURE_ROLES['table-read'].dataActions
  const below = call.service === 'cosmos' && call.operation === metadata && !call.resource.includes('colls/')
  return permissions(assignments).some(
    (one) =>
      one.service === call.service &&
      one.operation === call.operation &&
      (one.resource === call.resource || below),
  )
}

/** The permissions that none of the calls used, in the order of the assignments. */
export function unexercised(
  assignments: readonly RoleAssignment[],
  calls: readonly AzureCall[],
): readonly AzurePermission[] {
  return permissions(assignments).filter(
    (one) =>
      !calls.some(
        ({ service, operation, resource }) =>
          one.service === service && one.operation === operation && one.resource === resource,
      ),
  )
}

function permissions(assignments: readonly RoleAssignment[]): readonly AzurePermission[] {
  return assignments.flatMap(({ role, scope }) => {
    const { service } = AZURE_ROLES[role]
    return actionsOf(role).map((operation) => ({ role, service, operation, resource: scope }))
  })
}
