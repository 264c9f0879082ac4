// SPDX-License-Identifier: Apache-2.0
import { API } from '#infra/azure/references.ts'
import { failure } from '../failure.ts'
import type { Arm, Connection } from './arm.ts'
import { groupPath, type Place } from './deployments.ts'
import { removeRoles } from './role-removal.ts'

const VERSION = '2021-04-01'
/**
 * What runs, in the order in which it goes: alarms before what they watch, apps before their plans. Identities and what they are assigned stay:
 * an identity made again is another, and Azure does not let an assignment change whose it is. So do the accounts of hosts and the address.
 */
const RUNS: readonly (readonly [type: string, version: string])[] = [
  ['Microsoft.Insights/metricAlerts', API.metricAlert],
  ['Microsoft.Insights/scheduledQueryRules', API.queryAlert],
  ['Microsoft.Web/sites', API.web],
  ['Microsoft.Web/serverfarms', API.web],
]
const LOOK_MS = 3000
const WAIT_MS = 1_800_000

interface Listed {
  readonly id: string
  readonly type: string
}

/** Every resource of a group that is listed by itself. */
export async function resourcesOf(arm: Arm, place: Place): Promise<readonly Listed[]> {
  return (await arm.list(`${groupPath(place)}/resources`, VERSION)) as readonly Listed[]
}

/** Whether anything of what runs is there. @throws DeployFailure */
export async function doesRun(arm: Arm, place: Place): Promise<boolean> {
  const types = RUNS.map(([type]) => type.toLowerCase())
  return (await resourcesOf(arm, place)).some(({ type }) => types.includes(type.toLowerCase()))
}

/** Removes what runs, and waits until it is gone. @throws DeployFailure */
export async function removeRunning(
  arm: Arm,
  place: Place,
  { pause }: Pick<Connection, 'pause'>,
): Promise<void> {
  for (const [type, version] of RUNS) {
    const mine = async () =>
      (await resourcesOf(arm, place)).filter((one) => one.type.toLowerCase() === type.toLowerCase())
    for (const { id } of await mine()) await arm.remove(id, version)
    await gone(async () => (await mine()).length === 0, type, pause)
  }
}

/** Removes the group with all that it holds, and the roles that it defined in the tenant, and waits until it is gone. The vault keeps its name, and can be recovered, for 90 days. */
export async function removeGroup(
  arm: Arm,
  place: Place,
  { pause }: Pick<Connection, 'pause'>,
): Promise<void> {
  await removeRoles(arm, place)
  await arm.remove(groupPath(place), VERSION)
  await gone(
    async () => (await arm.find(groupPath(place), VERSION)) === null,
    `the resource group ${place.group}`,
    pause,
  )
}

/** Takes back what somebody was assigned, and waits until it counts no more. @param ids of assignments; those that are gone are passed over */
export async function removeAssignments(
  arm: Arm,
  ids: readonly string[],
  { pause }: Pick<Connection, 'pause'>,
): Promise<void> {
  for (const id of ids) await arm.remove(id, versionOf(id))
  for (const id of ids)
    await gone(
      async () => (await arm.find(id, versionOf(id))) === null,
      'what whoever migrates was assigned',
      pause,
    )
}

function versionOf(assignment: string): string {
  return assignment.includes('/sqlRoleAssignments/') ? API.cosmos : API.authorization
}

async function gone(
  isGone: () => Promise<boolean>,
  what: string,
  pause: (ms: number) => Promise<void>,
): Promise<void> {
  for (let waited = 0; waited <= WAIT_MS; waited += LOOK_MS) {
    if (await isGone()) return
    await pause(LOOK_MS)
  }
  throw failure(`${what} is still there after ${WAIT_MS / 60_000} minutes`, 'run this again')
}
