// SPDX-License-Identifier: Apache-2.0
import type { AzureTemplate } from '#infra/azure/template.ts'
import { failure } from '../failure.ts'
import type { Arm, Connection } from './arm.ts'
import { errorIn, innermost, refusal, type ArmError } from './failure.ts'

/** Which resource group, in which subscription; its name is that of the deployment too. */
export interface Place {
  readonly subscription: string
  readonly group: string
  readonly region: string
}

/** What ARM would do to each resource. */
export interface Change {
  readonly id: string
  /** `Create`, `Modify`, `NoChange`, `Deploy`, `Ignore`, `Unsupported`. */
  readonly kind: string
}

export interface Outputs {
  readonly [name: string]: string
}

const VERSION = '2021-04-01'
/** Says that a group was made by this, so that nothing else is taken for it. */
const TAG = 'ampere'
/** Between two looks at a deployment that runs, and for how long: API Management takes minutes, all of it rarely an hour. */
const LOOK_MS = 5000
const WAIT_MS = 5_400_000
const LOOKS_A_LINE = 6

export function groupPath({ subscription, group }: Place): string {
  return `/subscriptions/${subscription}/resourcegroups/${group}`
}

function deploymentPath(place: Place): string {
  return `${groupPath(place)}/providers/Microsoft.Resources/deployments/${place.group}`
}

/** Whether the group is there. @throws DeployFailure for one that another made, that is elsewhere, or that is being deleted */
export async function findGroup(arm: Arm, place: Place): Promise<boolean> {
  const { group, region } = place
  const found = (await arm.find(groupPath(place), VERSION)) as {
    location?: string
    tags?: Readonly<Record<string, string>>
    properties?: { provisioningState?: string }
  } | null
  if (!found) return false
  if (found.tags?.[TAG] !== group)
    throw failure(
      `the resource group ${group} is there, and was not made by this`,
      'choose another --stage; nothing was changed',
    )
  if (found.properties?.provisioningState === 'Deleting')
    throw failure(
      `the resource group ${group} is being deleted`,
      'wait until it is gone, then run this again',
    )
  if (found.location !== region)
    throw failure(
      `the resource group ${group} is in ${found.location}`,
      `give --region ${found.location}, or another --stage`,
    )
  return true
}

/** Makes the group; one that is there stays. */
export async function makeGroup(arm: Arm, place: Place): Promise<void> {
  if (await findGroup(arm, place)) return
  await arm.put(groupPath(place), VERSION, { location: place.region, tags: { [TAG]: place.group } })
}

/** How a deployment ended or that it runs: `Succeeded`, `Failed`, `Running`; null where there was none. */
export async function deploymentState(arm: Arm, place: Place): Promise<string | null> {
  return (await findDeployment(arm, place))?.properties?.provisioningState ?? null
}

interface Deployment {
  readonly properties?: {
    readonly provisioningState?: string
    readonly outputs?: Readonly<Record<string, { readonly value?: unknown }>>
    readonly error?: ArmError
  }
}

async function findDeployment(arm: Arm, place: Place): Promise<Deployment | null> {
  return (await arm.find(deploymentPath(place), VERSION)) as Deployment | null
}

/** What the template would change. The group is there. @throws DeployFailure also for what the services refuse beforehand */
export async function whatIf(arm: Arm, place: Place, template: AzureTemplate): Promise<readonly Change[]> {
  const answer = (await arm.post(`${deploymentPath(place)}/whatIf`, VERSION, {
    properties: { mode: 'Incremental', template, whatIfSettings: { resultFormat: 'ResourceIdOnly' } },
  })) as {
    status?: string
    error?: ArmError
    properties?: { changes?: readonly { resourceId?: string; changeType?: string }[] }
  } | null
  if (answer?.error || answer?.status === 'Failed') throw refusal('the plan', errorIn(answer, 400))
  return (answer?.properties?.changes ?? []).map(({ resourceId = '', changeType = '' }) => ({
    id: resourceId,
    kind: changeType,
  }))
}

/**
 * Makes a group what its template says, and waits until it is. One that runs is another's, or was interrupted: it is waited for first. One that
 * failed is gone over again: what was made stays.
 */
export async function applyTemplate(
  arm: Arm,
  place: Place,
  template: AzureTemplate,
  { pause, say }: Pick<Connection, 'pause'> & { readonly say: (line: string) => void },
): Promise<Outputs> {
  const total = template.resources.length
  const settle = () => settled(arm, place, total, { pause, say })
  const before = await deploymentState(arm, place)
  if (before !== null && isRunning(before)) await settle()
  await arm.put(deploymentPath(place), VERSION, { properties: { mode: 'Incremental', template } })
  const { properties } = await settle()
  if (properties?.provisioningState !== 'Succeeded') throw failed(place, properties?.error)
  return outputsIn(properties)
}

/** What the former deployment said; nothing where there was none, or none that ended well. */
export async function formerOutputs(arm: Arm, place: Place): Promise<Outputs> {
  return outputsIn((await findDeployment(arm, place))?.properties)
}

function outputsIn(properties: Deployment['properties']): Outputs {
  return Object.fromEntries(
    Object.entries(properties?.outputs ?? {}).map(([name, { value }]) => [name, String(value)]),
  )
}

function isRunning(state: string): boolean {
  return !/^(Succeeded|Failed|Canceled)$/.test(state)
}

async function settled(
  arm: Arm,
  place: Place,
  total: number,
  { pause, say }: { readonly pause: (ms: number) => Promise<void>; readonly say: (line: string) => void },
): Promise<Deployment> {
  for (let looks = 0; looks * LOOK_MS <= WAIT_MS; looks++) {
    const found = await findDeployment(arm, place)
    if (!found) throw failure(`the deployment ${place.group} is gone while it was made`, 'run this again')
    if (!isRunning(found.properties?.provisioningState ?? '')) return found
    if (looks % LOOKS_A_LINE === LOOKS_A_LINE - 1)
      say(`        ${await made(arm, place)} of ${total} resources are there`)
    await pause(LOOK_MS)
  }
  throw failure(
    `the deployment ${place.group} has not ended after ${WAIT_MS / 60_000} minutes`,
    'run this again',
  )
}

async function made(arm: Arm, place: Place): Promise<number> {
  const all = (await arm.list(`${deploymentPath(place)}/operations`, VERSION)) as readonly {
    properties?: { provisioningState?: string; provisioningOperation?: string }
  }[]
  return all.filter(
    ({ properties }) =>
      properties?.provisioningState === 'Succeeded' && properties.provisioningOperation === 'Create',
  ).length
}

/** The first resource that failed says why. */
function failed(place: Place, error: ArmError | undefined) {
  if (!error) return failure(`the deployment ${place.group} was cancelled`, 'run this again, and it goes on')
  const known = refusal('the deployment', error)
  const { target } = innermost(error) as { target?: unknown }
  const what = typeof target === 'string' ? ` (${target.split('/').slice(-2).join('/')})` : ''
  return failure(`${known.message}${what}`, `${known.next}; what was made stays`, known.cause)
}
