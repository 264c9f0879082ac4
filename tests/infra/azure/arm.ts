// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import type { Resource } from '#infra/azure/references.ts'
import type { AzureTemplate } from '#infra/azure/template.ts'

/**
 * A stand-in for what Azure Resource Manager makes of a template: its expressions, as far as ours use them, and the ids of its resources.
 * What a resource says of itself is made up from its name, as Azure does it; hashes are others than Azure's.
 */
const GROUP = '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/test'

/** A resource with everything filled in. */
export interface Deployed extends Resource {
  readonly id: string
}

/** Resources by their ids, and the id of the group that they are in. */
type Known = Map<string, Resource> & { readonly group: string }
type Value = string | { readonly [member: string]: Value }

const hash = (...of: readonly string[]) => createHash('sha256').update(of.join('\n')).digest('hex')

/** Every resource, filled in. @throws RangeError for an expression that is none, or that refers to what is not in the template */
export function deployed(resources: readonly Resource[], group = GROUP): readonly Deployed[] {
  const { ids, evaluate } = known(resources, group)
  return [...ids].map(([id, resource]) => ({ ...(filled(resource, evaluate) as Resource), id }))
}

/** The outputs of a template, filled in. */
export function outputsOf(
  { resources, outputs }: Pick<AzureTemplate, 'resources' | 'outputs'>,
  group = GROUP,
): Readonly<Record<string, { readonly type: string; readonly value: string }>> {
  const { evaluate } = known(resources, group)
  return filled(outputs, evaluate) as Record<string, { type: string; value: string }>
}

function known(resources: readonly Resource[], group: string) {
  const ids: Known = Object.assign(new Map<string, Resource>(), { group })
  const evaluate = (text: string) => evaluated(text, ids)
  for (const resource of resources) {
    const name = evaluate(resource.name)
    const scope = resource.scope === undefined ? group : evaluate(resource.scope)
    ids.set(`${scope}${idOf(resource.type, name.split('/'))}`, { ...resource, name })
  }
  if (ids.size !== resources.length) throw new RangeError('two resources have one id')
  return { ids, evaluate }
}

function filled(value: unknown, evaluate: (text: string) => string): unknown {
  if (typeof value === 'string') return evaluate(value)
  if (Array.isArray(value)) return value.map((one) => filled(one, evaluate))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [evaluate(key), filled(one, evaluate)]))
}

function idOf(type: string, names: readonly string[]): string {
  const [provider, ...types] = type.split('/')
  if (types.length !== names.length) throw new RangeError(`${type} has ${names.length} names`)
  return `/providers/${provider}/${types.map((one, at) => `${one}/${names[at]}`).join('/')}`
}

function evaluated(text: string, ids: Known): string {
  if (text.startsWith('[[')) return text.slice(1)
  if (!text.startsWith('[')) return text
  if (!text.endsWith(']')) throw new RangeError(`no expression: ${text}`)
  const tokens = text.slice(1, -1).match(/'(?:[^']|'')*'|[A-Za-z]+|[(),.]|\s+|./g) ?? []
  const left = tokens.filter((token) => token.trim() !== '')
  const value = expression(left, ids)
  if (left.length > 0 || typeof value !== 'string') throw new RangeError(`no expression of a text: ${text}`)
  return value
}

function expression(tokens: string[], ids: Known): Value {
  const token = tokens.shift() ?? ''
  if (token.startsWith("'")) return token.slice(1, -1).replaceAll("''", "'")
  if (!/^[A-Za-z]+$/.test(token) || tokens.shift() !== '(') throw new RangeError(`unexpected ${token}`)
  const given: Value[] = []
  while (tokens[0] !== ')') {
    given.push(expression(tokens, ids))
    if (tokens[0] === ',') tokens.shift()
    else if (tokens[0] !== ')') throw new RangeError(`unexpected ${tokens[0] ?? 'end'}`)
  }
  tokens.shift()
  let value = call(token, given.map(String), ids)
  while (tokens.at(0) === '.') {
    tokens.shift()
    const member = tokens.shift() ?? ''
    const found = typeof value === 'string' ? undefined : value[member]
    if (found === undefined) throw new RangeError(`${token}() has no ${member}`)
    value = found
  }
  return value
}

function call(name: string, given: readonly string[], ids: Known): Value {
  const [first = '', ...rest] = given
  switch (name) {
    case 'concat':
      return given.join('')
    case 'resourceId':
      return `${ids.group}${idOf(first, rest)}`
    case 'subscriptionResourceId':
      return `/subscriptions/x${idOf(first, rest)}`
    case 'resourceGroup':
      return { id: ids.group, location: 'westeurope' }
    case 'subscription':
      return { tenantId: guid('tenant') }
    case 'uniqueString':
      return hash(...given).slice(0, 13)
    case 'guid':
      return guid(...given)
    case 'parameters':
      return `of the parameter ${first}`
    case 'reference':
      return stateOf(first, ids)
    default:
      throw new RangeError(`no function ${name}`)
  }
}

function guid(...of: readonly string[]): string {
  return hash(...of).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5')
}

/** What a resource says of itself once it is there. */
function stateOf(id: string, ids: Known): Value {
  const found = ids.get(id)
  if (!found) throw new RangeError(`a reference to what is not there: ${id}`)
  const { name } = found
  return {
    principalId: guid(name, 'principal'),
    clientId: guid(name, 'client'),
    documentEndpoint: `https://${name}.documents.azure.com:443/`,
    primaryEndpoints: { blob: `https://${name}.blob.core.windows.net/` },
    vaultUri: `https://${name}.vault.azure.net/`,
    defaultHostName: `${name}.azurewebsites.net`,
    gatewayUrl: `https://${name}.azure-api.net`,
    ConnectionString: `InstrumentationKey=${guid(name)};IngestionEndpoint=https://x.example/`,
  }
}
