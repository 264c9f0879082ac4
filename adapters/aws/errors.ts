// SPDX-License-Identifier: Apache-2.0
import { AmpereError, type ErrorCode } from '#core/errors.ts'
import type { AwsCall } from './clients/calls.ts'

/** What an error of the SDK means to whoever called a port. */
type Meaning =
  | 'denied'
  | 'credentials'
  | 'clock'
  | 'absent'
  | 'region'
  | 'throttled'
  | 'key'
  | 'large'
  | 'silent'
  | 'failed'

/** By the names that DynamoDB, S3, KMS and the SDK give their errors. */
const NAMES: Readonly<Record<string, Meaning>> = {
  AccessDenied: 'denied',
  AccessDeniedException: 'denied',
  Forbidden: 'denied',
  CredentialsProviderError: 'credentials',
  TokenProviderError: 'credentials',
  UnrecognizedClientException: 'credentials',
  InvalidClientTokenId: 'credentials',
  InvalidAccessKeyId: 'credentials',
  SignatureDoesNotMatch: 'credentials',
  InvalidSignatureException: 'credentials',
  IncompleteSignatureException: 'credentials',
  MissingAuthenticationToken: 'credentials',
  MissingAuthenticationTokenException: 'credentials',
  ExpiredToken: 'credentials',
  ExpiredTokenException: 'credentials',
  InvalidToken: 'credentials',
  RequestTimeTooSkewed: 'clock',
  RequestExpired: 'clock',
  ResourceNotFoundException: 'absent',
  NoSuchBucket: 'absent',
  NotFoundException: 'absent',
  AuthorizationHeaderMalformed: 'region',
  PermanentRedirect: 'region',
  TemporaryRedirect: 'region',
  Throttling: 'throttled',
  ThrottlingException: 'throttled',
  ProvisionedThroughputExceededException: 'throttled',
  RequestLimitExceeded: 'throttled',
  SlowDown: 'throttled',
  TooManyRequestsException: 'throttled',
  DisabledException: 'key',
  KMSInvalidStateException: 'key',
  InvalidKeyUsageException: 'key',
  UnsupportedOperationException: 'key',
  EntityTooLarge: 'large',
  TimeoutError: 'silent',
}
/** Of node:net and node:dns: nobody answered. */
const SILENT: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
])

/** The members of the SDK's errors that are looked at. */
interface SdkError {
  readonly name?: string
  readonly code?: string
  readonly message?: string
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string }
}

/**
 * What is kept of an SDK's error as the cause: its own carries the request with its signature, session token and body, and a
 * message that may name what it is about.
 */
interface Answer extends Error {
  readonly status: number
  readonly requestId: string
}

function answerOf({ name = 'Error', code = '', $metadata }: SdkError): Answer {
  const { httpStatusCode: status = 0, requestId = '' } = $metadata ?? {}
  const said = [name, code, status > 0 ? `HTTP ${status}` : '', requestId].filter((part) => part !== '')
  return Object.assign(new Error(said.join(', ')), { name, status, requestId })
}

/**
 * True for an AmpereError whose cause is an answer with one of these names, or this status: what a port expects, such as a
 * condition that did not hold.
 */
export function isAnswer(error: unknown, ...known: readonly (string | number)[]): boolean {
  const { name = '', status = 0 } = ((error as { cause?: unknown } | null)?.cause ?? {}) as Partial<Answer>
  return known.includes(name) || known.includes(status)
}

/** What failed, as AmpereError: which action, on what, and what to do about it. */
export function translated(error: unknown, call: AwsCall, region: string): AmpereError {
  const meaning = meaningOf(error as SdkError)
  const [code, message] = answers(call, region)[meaning]
  return new AmpereError(code, message, { cause: answerOf(error as SdkError) })
}

function answers(call: AwsCall, region: string): Readonly<Record<Meaning, readonly [ErrorCode, string]>> {
  const { service, operation } = call
  const place = placeOf(call)
  const unavailable: ErrorCode = service === 'kms' ? 'KEY_UNAVAILABLE' : 'STORE_UNAVAILABLE'
  const denied: ErrorCode = service === 'kms' ? 'KEY_UNAVAILABLE' : 'CONFIGURATION'
  return {
    denied: [denied, `AWS does not allow ${operation} on ${place}: see the policy of this role`],
    credentials: [
      'CONFIGURATION',
      `AWS has no valid credentials for ${operation}: there are none, or they are wrong or expired`,
    ],
    clock: [
      'CONFIGURATION',
      `AWS refuses ${operation} because the clock of this computer is wrong: have it set from the network`,
    ],
    absent: [denied, `there is no ${place} in ${region}: see the region and the names of this deployment`],
    region: ['CONFIGURATION', `${place} is in another region than ${region}`],
    throttled: [unavailable, `AWS takes no more of ${operation} now; try again later`],
    key: [unavailable, `${place} is disabled, about to be deleted, or for another use`],
    large: ['TOO_LARGE', `what ${operation} was to keep is larger than ${service} takes`],
    silent: [unavailable, `${service} of ${region} did not answer ${operation} in time`],
    failed: [unavailable, `${operation} failed`],
  }
}

function meaningOf({ name = '', code = '', message = '', $metadata }: SdkError): Meaning {
  // By this name DynamoDB and KMS also refuse what was signed at a wrong time, and large items.
  if (name === 'InvalidSignatureException' && /^Signature (?:expired|not yet current)/.test(message))
    return 'clock'
  if (name === 'ValidationException' && message.startsWith('Item size')) return 'large'
  const known = Object.hasOwn(NAMES, name) ? NAMES[name] : undefined
  if (known) return known
  const status = $metadata?.httpStatusCode ?? 0
  // Answers to HeadObject have no body that would name the error.
  if (status === 403) return 'denied'
  if (status === 301 || status === 307) return 'region'
  if (status === 429) return 'throttled'
  return SILENT.has(code) ? 'silent' : 'failed'
}

/** Names of objects say which record they are of; those of tables, buckets and keys are of the deployment alone. */
function placeOf({ service, resource }: AwsCall): string {
  if (service === 's3') return `bucket ${resource.split('/')[0]}`
  return resource.replace('/', ' ')
}
