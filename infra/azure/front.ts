// SPDX-License-Identifier: Apache-2.0
import type { Operation } from '#functions/host/operation.ts'
import { HOME_OPERATIONS } from '#functions/roles.ts'
import type { Deploys } from '#infra/permissions/identities.ts'
import { after, API, filledIn, HERE, idOf, namesOf, SITES, type Resource } from './references.ts'
import type { AzureSettings } from './settings.ts'

const SERVICE = 'Microsoft.ApiManagement/service'
const HOME = 'home'
/** Who answers what is no operation at all, with the problem document that a home in one process gives. */
const ANSWERS_THE_REST = 'discovery'
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']
const OLD_TLS = ['Tls10', 'Tls11', 'Ssl30'].flatMap((one) => [
  `Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Protocols.${one}`,
  `Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Backend.Protocols.${one}`,
])

/** An operation of the front: its id begins with the role that answers. */
export interface FrontOperation {
  readonly id: string
  readonly role: string
  readonly method: string
  readonly urlTemplate: string
}

/** What is below them, its app tells apart. */
const OF_BRIDGE: readonly { readonly urlTemplate: string; readonly methods: readonly string[] }[] = [
  ...['/fhir', '/fhir/*', '/oauth/*', '/clients', '/clients/*'].map((urlTemplate) => ({
    urlTemplate,
    methods: METHODS,
  })),
  { urlTemplate: '/pairing', methods: ['POST'] },
  { urlTemplate: '/rows', methods: ['POST'] },
]

/** Every operation of a deployment; whatever can be got can be asked for its headers alone. */
export function frontOperations(deploys: Deploys = 'home'): readonly FrontOperation[] {
  const bridge = OF_BRIDGE.flatMap(({ urlTemplate, methods }, at) =>
    methods.map((method) => ({
      id: `bridge-${at}-${method.toLowerCase()}`,
      role: 'bridge',
      method,
      urlTemplate,
    })),
  )
  if (deploys === 'bridge') return bridge
  return [...homeOperations(), ...(deploys === 'both' ? bridge : [])]
}

function homeOperations(): readonly FrontOperation[] {
  const own = Object.entries(HOME_OPERATIONS).flatMap(([role, operations]) =>
    operations.flatMap((operation, at) =>
      methodsOf(operation).map((method) => ({
        id: `${role}-${at}-${method.toLowerCase()}`,
        role,
        method,
        urlTemplate: templateOf(operation.pattern),
      })),
    ),
  )
  const rest = METHODS.map((method) => ({
    id: `${ANSWERS_THE_REST}-rest-${method.toLowerCase()}`,
    role: ANSWERS_THE_REST,
    method,
    urlTemplate: '/*',
  }))
  return [...own, ...rest]
}

function methodsOf({ method }: Operation): readonly string[] {
  return method === 'GET' ? ['GET', 'HEAD'] : [method]
}

/** `/log/tile/:tile{.+}` -> `/log/tile/*`; what a segment may be, the app itself checks. */
function templateOf(pattern: string): string {
  return pattern
    .replace(/:\w+\{\.\+\}$/, '*')
    .replace(/:(\w+)\{(?:[^{}]|\{[^{}]*\})*\}/g, '{$1}')
    .replace(/:(\w+)/g, '{$1}')
}

/**
 * One origin for all roles, without which a home has no address: API Management, in its tier without a server. Front Door and Application
 * Gateway cost by the hour and route by path alone, where here two roles have the same path by method.
 */
export function front(settings: AzureSettings): readonly Resource[] {
  const { front: service } = namesOf(settings.prefix)
  const api = after(`${SERVICE}/apis`, service, HOME)
  const operations = frontOperations(settings.deploys)
  const answering = [...new Set(operations.map(({ role }) => role))]
  return [
    {
      type: SERVICE,
      apiVersion: API.management,
      name: filledIn(service),
      location: HERE,
      sku: { name: 'Consumption', capacity: 0 },
      properties: {
        publisherName: 'Ampere',
        publisherEmail: settings.alarmEmail || 'nobody@example.org',
        customProperties: Object.fromEntries(OLD_TLS.map((name) => [name, 'False'])),
      },
    },
    {
      type: `${SERVICE}/apis`,
      apiVersion: API.management,
      name: filledIn(`${service}/${HOME}`),
      dependsOn: [after(SERVICE, service)],
      // Who asks is known by signatures, which the roles check.
      properties: { displayName: HOME, path: '', protocols: ['https'], subscriptionRequired: false },
    },
    ...answering.map((role) => backend(settings, role)),
    ...operations.map((one) => operationOf(service, one)),
    {
      type: `${SERVICE}/apis/policies`,
      apiVersion: API.management,
      name: filledIn(`${service}/${HOME}/policy`),
      dependsOn: [api, ...answering.map((role) => after(`${SERVICE}/backends`, service, role))],
      properties: { format: 'rawxml', value: POLICY },
    },
  ]
}

function operationOf(service: string, { id, method, urlTemplate }: FrontOperation): Resource {
  return {
    type: `${SERVICE}/apis/operations`,
    apiVersion: API.management,
    name: filledIn(`${service}/${HOME}/${id}`),
    dependsOn: [after(`${SERVICE}/apis`, service, HOME)],
    properties: {
      displayName: id,
      method,
      urlTemplate,
      templateParameters: [...urlTemplate.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
        name,
        type: 'string',
        required: true,
      })),
    },
  }
}

/** The role is the first word of the operation's id. Bodies are passed on as they come. */
const POLICY = `<policies>
  <inbound>
    <set-backend-service backend-id="@(context.Operation.Id.Split('-')[0])" />
  </inbound>
  <backend><forward-request timeout="60" buffer-request-body="false" buffer-response="false" /></backend>
  <outbound />
  <on-error />
</policies>`

function backend({ prefix }: AzureSettings, role: string): Resource {
  const { front: service, app } = namesOf(prefix)
  const host = `\${reference(${idOf(SITES, app(role))}, '${API.web}').defaultHostName}`
  return {
    type: `${SERVICE}/backends`,
    apiVersion: API.management,
    name: filledIn(`${service}/${role}`),
    dependsOn: [after(SERVICE, service), after(SITES, app(role))],
    properties: {
      protocol: 'http',
      url: filledIn(`https://${host}`),
      tls: { validateCertificateChain: true, validateCertificateName: true },
    },
  }
}
