// SPDX-License-Identifier: Apache-2.0
import type { AzureTemplate } from '#infra/azure/template.ts'
import { deployed, outputsOf, type Deployed } from '#tests/infra/azure/arm.ts'
import { startFake, type Answered, type Asked, type Break, type FakeServer } from './fake-server.ts'

export const SUBSCRIPTION = '22222222-2222-2222-2222-222222222222'
/** So often is a deployment looked at before it has ended: longer than whoever only looks whether there is one. */
const LOOKS = 3
const AUTHORIZATION = '/providers/Microsoft.Authorization'
const DEFINITIONS = 'Microsoft.Authorization/roleDefinitions'
const GROUP = /^\/subscriptions\/[^/]+\/resourcegroups\/([^/]+)/i

/** What a test says of the Azure that it deploys to. */
export interface ArmState {
  /** Members of outputs, in place of what the template says: where emulators are. */
  outputs: Readonly<Record<string, string>>
  /** Answers that stand in for its own, by method and the end of the path. */
  refuses: { method: string; path: RegExp; answer: Answered } | null
  subscriptions: { subscriptionId: string; state: string }[]
  regions: { name: string; displayName: string }[]
  flex: string[]
  unregistered: string[]
  /** Types that the region has not. */
  absent: string[]
  storage: { currentValue: number; limit: number }
  taken: RegExp | null
  /** How the next deployment ends, and what it leaves out then. */
  fails: { code: string; message: string; details?: unknown } | null
  /** Roles of groups that were deleted: they are the tenant's. */
  leftDefinitions: string[]
  /** How far the clock of Azure is ahead, in milliseconds. */
  aheadMs: number
}

interface Group {
  readonly body: Readonly<Record<string, unknown>>
  deployment: { state: string; looks: number; outputs: object; error: unknown } | null
  readonly resources: Map<string, Deployed>
}

/** A fake of Azure Resource Manager: there is no emulator. */
export interface FakeArm extends FakeServer {
  readonly state: ArmState
  /** Every resource of a group, by its id. */
  readonly resources: (group: string) => ReadonlyMap<string, Deployed>
  readonly hasGroup: (group: string) => boolean
  /** Makes a group that something else made, or leaves one in a state. */
  readonly putGroup: (group: string, body: object) => void
  /** Sets how the deployment of a group stands. */
  readonly putDeployment: (group: string, state: string) => void
}

/**
 * Known of the real service, and so here: errors are `{error: {code, message, details}}`; what-if is answered later, at the address in
 * `location`; a deployment that runs refuses another of its name (409 DeploymentActive); what is deployed in mode Incremental is added to what is
 * there; an app says in `hostNameSslStates` where its packages are taken. That nothing else is true of it, is [unchecked].
 */
export async function startFakeArm(token: string, breaks: (asked: Asked) => Break): Promise<FakeArm> {
  const state = initial()
  const groups = new Map<string, Group>()
  const server = await startFake((asked) => {
    const headers = { date: new Date(Date.now() + state.aheadMs).toUTCString() }
    return { headers, ...dated(asked) }
  }, breaks)
  const dated = (asked: Asked): Answered => {
    if (asked.authorization !== `Bearer ${token}`) return refused(401, 'InvalidAuthenticationToken')
    if (!asked.query.has('api-version')) return refused(400, 'MissingApiVersionParameter')
    const { refuses } = state
    if (refuses?.method === asked.method && refuses.path.test(asked.path)) return refuses.answer
    const named = GROUP.exec(asked.path)?.[1]
    return named === undefined ? ofSubscription(asked, state) : ofGroup(asked, named, groups, state)
  }
  const put = (group: string, body: object) =>
    void groups.set(group, { body: { ...body }, deployment: null, resources: new Map() })
  return {
    ...server,
    state,
    resources: (group) => groups.get(group)?.resources ?? new Map(),
    hasGroup: (group) => groups.has(group),
    putGroup: put,
    putDeployment: (name, ended) => {
      const group = groups.get(name)
      if (group) group.deployment = { state: ended, looks: 0, outputs: {}, error: null }
    },
  }
}

function initial(): ArmState {
  return {
    outputs: {},
    refuses: null,
    subscriptions: [{ subscriptionId: SUBSCRIPTION, state: 'Enabled' }],
    regions: [
      { name: 'westeurope', displayName: 'West Europe' },
      { name: 'northeurope', displayName: 'North Europe' },
    ],
    flex: ['West Europe', 'North Europe'],
    unregistered: [],
    absent: [],
    storage: { currentValue: 3, limit: 250 },
    taken: null,
    fails: null,
    leftDefinitions: [],
    aheadMs: 0,
  }
}

function ofSubscription({ method, path, bytes }: Asked, state: ArmState): Answered {
  const end = path.replace(/^\/subscriptions\/[^/]+/, '')
  const [, id] = /^\/subscriptions\/([^/]+)/.exec(path) ?? []
  if (id === undefined) return ok({ value: state.subscriptions })
  const found = state.subscriptions.find(({ subscriptionId }) => subscriptionId === id)
  if (!found) return refused(404, 'SubscriptionNotFound')
  if (end === '') return ok(found)
  if (end === '/locations') return ok({ value: state.regions })
  if (end === '/providers/Microsoft.Web/geoRegions')
    return ok({ value: state.flex.map((name) => ({ name })) })
  if (/^\/providers\/Microsoft\.Storage\/locations\/\w+\/usages$/.test(end))
    return ok({ value: [state.storage] })
  if (method === 'POST' && end.endsWith('/checkNameAvailability')) {
    const { name } = JSON.parse(bytes.toString()) as { name: string }
    const nameAvailable = !(state.taken?.test(name) ?? false)
    return ok({ nameAvailable, ...(nameAvailable ? {} : { reason: 'AlreadyExists' }) })
  }
  const [, namespace] = /^\/providers\/([^/]+)$/.exec(end) ?? []
  return namespace === undefined ? refused(404, 'NotFound') : ok(provider(namespace, state))
}

function provider(namespace: string, { unregistered, absent }: ArmState): object {
  const gone = absent.filter((type) => type.startsWith(`${namespace}/`))
  return {
    namespace,
    registrationState: unregistered.includes(namespace) ? 'NotRegistered' : 'Registered',
    resourceTypes: gone.map((type) => ({
      resourceType: type.slice(namespace.length + 1),
      locations: ['Mars North'],
    })),
  }
}

function ofGroup(asked: Asked, name: string, groups: Map<string, Group>, state: ArmState): Answered {
  const { method, path, bytes } = asked
  const end = path.replace(GROUP, '')
  const group = groups.get(name)
  if (end === '') {
    if (method === 'PUT') {
      const body = JSON.parse(bytes.toString()) as Readonly<Record<string, unknown>>
      const kept = { deployment: group?.deployment ?? null, resources: group?.resources ?? new Map() }
      groups.set(name, { body, ...kept })
      return ok(body)
    }
    if (!group) return refused(404, 'ResourceGroupNotFound')
    if (method === 'DELETE') {
      for (const { id, type } of group.resources.values())
        if (type === DEFINITIONS) state.leftDefinitions.push(id)
      groups.delete(name)
      return { status: 202 }
    }
    return ok(group.body)
  }
  if (!group) return refused(404, 'ResourceGroupNotFound')
  if (end === '/resources')
    return ok({
      value: [...group.resources.values()]
        .filter(({ type }) => type.split('/').length === 2)
        .map(({ id, type }) => ({ id, type })),
    })
  if (end === '/providers/Microsoft.Web/sites')
    return ok({
      value: [...group.resources.values()]
        .filter(({ type }) => type === 'Microsoft.Web/sites')
        .map(() => ({ properties: { state: 'Running' } })),
    })
  if (end.startsWith(AUTHORIZATION)) return ofAuthorization(asked, end, group)
  if (end.startsWith('/providers/Microsoft.Resources/deployments/'))
    return ofDeployment(asked, end, {
      group,
      state,
      id: `/subscriptions/${SUBSCRIPTION}/resourceGroups/${name}`,
    })
  return ofResource(asked, group)
}

/** Roles and whom they are assigned to. What is built in is listed beside, and a role that is assigned is not removed. */
function ofAuthorization(asked: Asked, end: string, group: Group): Answered {
  const of = (type: string) => [...group.resources.values()].filter((one) => one.type === type)
  const built = { type: 'BuiltInRole', assignableScopes: ['/'] }
  if (end === `${AUTHORIZATION}/roleDefinitions`)
    return ok({
      value: [...of(DEFINITIONS), { id: `${AUTHORIZATION}/roleDefinitions/reader`, properties: built }],
    })
  if (end === `${AUTHORIZATION}/roleAssignments`)
    return ok({ value: of('Microsoft.Authorization/roleAssignments') })
  const guid = end.split('/').at(-1) ?? ''
  const assigned = of('Microsoft.Authorization/roleAssignments').some(({ properties }) =>
    JSON.stringify(properties).includes(guid),
  )
  if (asked.method === 'DELETE' && end.includes('/roleDefinitions/') && assigned)
    return refused(400, 'RoleDefinitionHasAssignments')
  return ofResource(asked, group)
}

function ofDeployment(
  { method, path, bytes }: Asked,
  end: string,
  { group, state, id }: { readonly group: Group; readonly state: ArmState; readonly id: string },
): Answered {
  const { deployment } = group
  if (end.endsWith('/whatIf')) {
    if (method === 'GET') return ok({ status: 'Succeeded', properties: { changes: group.body['planned'] } })
    const planned = sentIn(bytes, id).made.map((one) => ({
      resourceId: one.id,
      changeType: group.resources.has(one.id) ? 'NoChange' : 'Create',
    }))
    Object.assign(group.body, { planned })
    return {
      status: 202,
      headers: { location: `https://management.azure.com${path}?api-version=2021-04-01` },
    }
  }
  if (end.endsWith('/operations')) return ok({ value: [] })
  if (method === 'PUT') {
    if (deployment && /Running|Accepted/.test(deployment.state)) return refused(409, 'DeploymentActive')
    const { mode, made, outputs } = sentIn(bytes, id)
    if (mode !== 'Incremental') return refused(400, 'InvalidDeploymentMode')
    const failed = state.fails
    for (const one of failed ? made.slice(0, made.length / 2) : made) group.resources.set(one.id, one)
    const said = Object.entries(outputs).map(([name, output]) => [
      name,
      { ...output, value: state.outputs[name] ?? output.value },
    ])
    group.deployment = {
      state: 'Running',
      looks: 0,
      outputs: Object.fromEntries(said) as object,
      error: failed,
    }
    state.fails = null
    return { status: 201, body: { properties: { provisioningState: 'Accepted' } } }
  }
  if (!deployment) return refused(404, 'DeploymentNotFound')
  if (deployment.state === 'Running' && deployment.looks++ >= LOOKS)
    deployment.state = deployment.error ? 'Failed' : 'Succeeded'
  const { error, outputs } = deployment
  return ok({
    properties: {
      provisioningState: deployment.state,
      ...(deployment.state === 'Succeeded' ? { outputs } : {}),
      ...(deployment.state === 'Failed' ? { error } : {}),
    },
  })
}

interface Sent {
  readonly mode: string
  readonly made: readonly Deployed[]
  readonly outputs: ReturnType<typeof outputsOf>
}
/** By its text and its group: filling a template in takes longer than all else that the fake does. */
const FILLED = new Map<string, Sent>()

function sentIn(bytes: Buffer, id: string): Sent {
  const text = bytes.toString()
  const known = FILLED.get(id + text)
  if (known) return known
  const { mode, template } = (JSON.parse(text) as { properties: { mode: string; template: AzureTemplate } })
    .properties
  const sent = { mode, made: deployed(template.resources, id), outputs: outputsOf(template, id) }
  FILLED.set(id + text, sent)
  return sent
}

function ofResource({ method, path }: Asked, group: Group): Answered {
  const found = [...group.resources.values()].find(({ id }) => id.toLowerCase() === path.toLowerCase())
  if (!found) return method === 'DELETE' ? { status: 204 } : refused(404, 'ResourceNotFound')
  if (method === 'DELETE') {
    group.resources.delete(found.id)
    return { status: 202 }
  }
  const { id, type, name } = found
  const hostNameSslStates = [
    { name: `${name}.azurewebsites.net`, hostType: 'Standard' },
    { name: `${name}.scm.azurewebsites.net`, hostType: 'Repository' },
  ]
  return ok({ id, type, name, properties: { state: 'Running', hostNameSslStates } })
}

export function refused(status: number, code: string, message = `the fake says ${code}`): Answered {
  return { status, body: { error: { code, message } } }
}

function ok(body: unknown): Answered {
  return { status: 200, body }
}
