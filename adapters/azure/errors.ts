// SPDX-License-Identifier: Apache-2.0
import type { PipelineResponse } from '@azure/core-rest-pipeline'
import { AmpereError } from '#core/errors.ts'
import type { AzureCall } from './clients/calls.ts'
import { SERVICES, type AzureService } from './clients/naming.ts'

/** What an answer says of the service and of us, whatever was asked. */
type Meaning = 'unavailable' | 'full' | 'wrong'

/** 403 in Cosmos DB that does not deny: writes are moving to another region, the account is moving. */
const COSMOS_MOVING: readonly string[] = ['3', '1008']
/** 403 in Cosmos DB: a logical partition holds its 20 GB. */
const COSMOS_PARTITION_FULL = '1014'
/** 404 in Cosmos DB: not the item is missing but its container or database. */
const COSMOS_OWNER_MISSING = '1003'
/** 408, 410 and 449 are Cosmos DB's: a time-out inside, a partition that moves, a write that met another. */
const TRANSIENT: readonly number[] = [408, 410, 429, 449]

/**
 * The error that an answer is whatever was asked, or null for one that whoever asked has to judge. The message names the
 * action that was denied; the cause holds status and codes only, because the SDKs' errors hold requests and tokens.
 */
export function refusalOf(call: AzureCall, response: PipelineResponse): AmpereError | null {
  const { status, headers } = response
  const title = SERVICES[call.service].title
  const substatus = headers.get('x-ms-substatus') ?? ''
  const code = headers.get('x-ms-error-code') ?? ''
  const say = (meaning: Meaning, message: string) =>
    failure(call.service, meaning, message, [`HTTP ${status}`, substatus, code, call.operation])
  if (status === 429) return say('unavailable', `${title} asks for fewer requests`)
  if (status >= 500 || TRANSIENT.includes(status)) return say('unavailable', `${title} cannot answer now`)
  if (status === 403) {
    if (substatus === COSMOS_PARTITION_FULL) return say('full', 'a partition of a table is full')
    if (COSMOS_MOVING.includes(substatus)) return say('unavailable', `${title} cannot answer now`)
    return say('wrong', deniedMessage(call))
  }
  if (status === 404 && (substatus === COSMOS_OWNER_MISSING || code === 'ContainerNotFound'))
    return say('wrong', `${title} has no ${call.resource}: it is made when a deployment is set up`)
  if (call.service !== 'cosmos') return null
  if (status === 401) return say('wrong', 'Cosmos DB does not accept the credential')
  // The service refuses a consistency that is stronger than the account's.
  if (status === 400 && /consistency ?level/i.test(response.bodyAsText ?? ''))
    return say('wrong', 'the default consistency of the Cosmos DB account is not strong')
  return null
}

function deniedMessage({ service, operation, resource }: AzureCall): string {
  const more = service === 'vault' ? ', or the key is disabled or has expired' : ''
  const where = resource === '' ? 'the account' : resource
  return `this identity may not do ${operation} on ${where}${more}; a new role assignment may take minutes to count`
}

/** Codes of Node's network and TLS errors that mean that the address is wrong rather than that nobody answers now. */
const NOT_FOUND = /^ENOTFOUND$/
const NOT_TRUSTED = /^(ERR_TLS_|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_SSL_|EPROTO)/

/** The error of a request that got no answer. */
export function unreachable(call: AzureCall, error: unknown, isLate: boolean): AmpereError {
  if (error instanceof AmpereError) return error
  const { title, endpoint } = SERVICES[call.service]
  const code = codeOf(error)
  const say = (message: string) => failure(call.service, 'unavailable', message, [code, call.operation])
  if (isLate || code === 'ETIMEDOUT') return say(`${title} did not answer in time`)
  if (NOT_FOUND.test(code)) return say(`${title} is not found at ${endpoint}: there is no such host`)
  if (NOT_TRUSTED.test(code)) return say(`what answers at ${endpoint} does not prove to be ${title}`)
  return say(`${title} cannot be reached`)
}

/** The error of a service's client that got no token. */
export function noToken(service: AzureService, error: unknown): AmpereError {
  const name = nameOf(error)
  const message = `there is no token for ${SERVICES[service].title}`
  return name === 'CredentialUnavailableError'
    ? failure(service, 'wrong', `${message}: this process has no identity in Azure`, [name])
    : failure(service, 'unavailable', message, [name])
}

/** Runs what uses a client; its errors leave as AmpereError, with nothing of a request in them. */
export async function translate<T>(service: AzureService, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw translated(service, error)
  }
}

function translated(service: AzureService, error: unknown): AmpereError {
  // Made anew: clients write what they know of the request onto what passes them.
  if (error instanceof AmpereError)
    return new AmpereError(error.code, error.message, error.cause === undefined ? {} : { cause: error.cause })
  const { title } = SERVICES[service]
  const status = statusOf(error)
  if (status === 401)
    return failure(service, 'wrong', `${title} does not accept the credential`, ['HTTP 401'])
  return failure(service, 'unavailable', `${title} gave an answer that is not understood`, [
    status === null ? '' : `HTTP ${status}`,
    codeOf(error),
    nameOf(error),
  ])
}

/** HTTP status of an SDK's error, or null. */
export function statusOf(error: unknown): number | null {
  const { statusCode, code } = (error ?? {}) as { statusCode?: unknown; code?: unknown }
  const status = statusCode ?? code
  return typeof status === 'number' ? status : null
}

/** The service's own word for an error, for example `BlobAlreadyExists`, or an empty text. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : ''
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error
}

/** @returns STORE_* or CONFIGURATION for stores; for keys always KEY_UNAVAILABLE, as their port says */
function failure(
  service: AzureService,
  meaning: Meaning,
  message: string,
  facts: readonly string[],
): AmpereError {
  const store = ({ unavailable: 'STORE_UNAVAILABLE', full: 'STORE_FULL', wrong: 'CONFIGURATION' } as const)[
    meaning
  ]
  const cause = new Error(facts.filter((fact) => fact !== '').join(', '))
  return new AmpereError(service === 'vault' ? 'KEY_UNAVAILABLE' : store, message, { cause })
}
