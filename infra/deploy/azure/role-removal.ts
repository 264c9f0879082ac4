// SPDX-License-Identifier: Apache-2.0
import { API } from '#infra/azure/references.ts'
import type { Arm } from './arm.ts'
import { groupPath, type Place } from './deployments.ts'

const PROVIDER = 'providers/Microsoft.Authorization'

interface Definition {
  readonly id: string
  readonly properties?: { readonly type?: string; readonly assignableScopes?: readonly string[] }
}

interface Assignment {
  readonly id: string
  readonly properties?: { readonly roleDefinitionId?: string }
}

/**
 * Removes the roles that the template defines, and first whom they are assigned to, without which Azure removes none. They belong to
 * the tenant, and would stay when the group is gone: each is one whose only scope is that group.
 * @throws DeployFailure
 */
export async function removeRoles(arm: Arm, place: Place): Promise<void> {
  const group = groupPath(place)
  const all = (await arm.list(
    `${group}/${PROVIDER}/roleDefinitions`,
    API.authorization,
  )) as readonly Definition[]
  const own = new Map(all.filter((one) => isOnlyOf(group, one)).map(({ id }) => [guidOf(id), id]))
  if (own.size === 0) return
  const assigned = (await arm.list(
    `${group}/${PROVIDER}/roleAssignments`,
    API.authorization,
  )) as readonly Assignment[]
  for (const { id, properties } of assigned)
    if (own.has(guidOf(properties?.roleDefinitionId ?? ''))) await arm.remove(id, API.authorization)
  for (const guid of own.keys())
    await arm.remove(`${group}/${PROVIDER}/roleDefinitions/${guid}`, API.authorization)
}

function isOnlyOf(group: string, { properties }: Definition): boolean {
  const { type, assignableScopes = [] } = properties ?? {}
  return (
    type === 'CustomRole' &&
    assignableScopes.length === 1 &&
    assignableScopes[0]?.toLowerCase() === group.toLowerCase()
  )
}

/** A definition is named by its GUID, under whatever scope it is listed. */
function guidOf(id: string): string {
  return (id.split('/').at(-1) ?? '').toLowerCase()
}
