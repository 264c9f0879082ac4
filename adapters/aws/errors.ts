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

/** The members of the SDK's errors that are looked at. Their messages are not: they may name what they are about. */
interface SdkError {
  readonly name?: string
  readonly code?: string
  readonly message?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
}

/**
 * True for an AmpereError that the SDK's error of one of these names, or an answer with this status, has become: what a
 * port expects, such as a condition that did not hold.
 */
export function isAnswer(error: unknown, ...known: readonly (string | number)[]): boolean {
  const { name = '', $metadata } = ((error as { cause?: unknown } | null)?.cause ?? {}) as SdkError
  return known.includes(name) || known.includes($metadata?.httpStatusCode ?? 0)
}

/** What failed, as AmpereError with the SDK's error as its cause: which action, on what, and what to do about it. */
export function translated(error: unknown, call: AwsCall, region: string): AmpereError {
  const meaning = meaningOf(error as SdkError)
  const place = placeOf(call)
  const unavailable: ErrorCode = call.service === 'kms' ? 'KEY_UNAVAILABLE' : 'STORE_UNAVAILABLE'
  const denied: ErrorCode = call.service === 'kms' ? 'KEY_UNAVAILABLE' : 'CONFIGURATION'
  const answers: Readonly<Record<Meaning, readonly [ErrorCode, string]>> = {
    denied: [denied, `AWS does not allow ${call.operation} on ${place}: see the policy of this role`],
    credentials: [
      'CONFIGURATION',
      `AWS has no valid credentials for ${call.operation}: there are none, or they are wrong or expired`,
    ],
    clock: [
      'CONFIGURATION',
      `AWS refuses ${call.operation} because the clock of this computer is wrong: have it set from the network`,
    ],
    absent: [denied, `there is no ${place} in ${region}: see the region and the names of this deployment`],
    region: ['CONFIGURATION', `${place} is in another region than ${region}`],
    throttled: [unavailable, `AWS takes no more of ${call.operation} now; try again later`],
    key: [unavailable, `${place} is disabled, about to be deleted, or for another use`],
    large: ['TOO_LARGE', `what ${call.operation} was to keep is larger than ${call.service} takes`],
    silent: [unavailable, `${call.service} of ${region} did not answer ${call.operation} in time`],
    failed: [unavailable, `${call.operation} failed`],
  }
  const [code, message] = answers[meaning]
  return new AmpereError(code, message, { cause: error })
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
