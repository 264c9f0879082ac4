// SPDX-License-Identifier: Apache-2.0
import { isAmpereError } from '#core/errors.ts'
import { failure, textOf, type DeployFailure } from '../failure.ts'

/** What is wrong, by the name that AWS gives it, and what to do. */
const KNOWN: readonly (readonly [RegExp, string, string])[] = [
  [
    /^CredentialsProviderError$|NoCredentials/,
    'there are no credentials for AWS',
    'aws sso login, or set AWS_PROFILE',
  ],
  [/^ExpiredToken/, 'the credentials for AWS have expired', 'log in again: aws sso login'],
  [
    /^(InvalidClientTokenId|UnrecognizedClientException|InvalidAccessKeyId|SignatureDoesNotMatch)$/,
    'AWS does not know these credentials',
    'check AWS_PROFILE, or the keys that are set',
  ],
  [
    /^(RequestExpired|RequestTimeTooSkewed|InvalidSignatureException)$/,
    'the clock of this computer is wrong, or the credentials are',
    'set the clock by a time server',
  ],
  [
    /^(OptInRequired|InvalidRegion|EndpointError)/,
    'the region is not one that this account uses',
    'choose another: --region',
  ],
  [
    /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|TimeoutError|NetworkingError)$/,
    'AWS is not reached',
    'check the network and the region',
  ],
  [
    /LimitExceeded|QuotaExceeded|TooMany/,
    'a quota of the account is used up',
    'ask AWS to raise it, then run this again',
  ],
  [/^Throttling/, 'AWS answers too slowly now', 'run this again in a minute'],
]
const DENIED = /not authorized to perform: ([A-Za-z0-9:-]+)/

/** What a call to AWS failed with, in one line; what it said beyond that is the cause. */
export function failureOf(error: unknown): DeployFailure {
  if (isAmpereError(error)) return error
  const { name, code, message } = namesOf(error)
  const denied = DENIED.exec(message)
  if (denied ?? /AccessDenied|Forbidden|UnauthorizedOperation/.test(name))
    return failure(
      `this account may not ${denied?.[1] ?? 'do this'}`,
      'docs/OPERATIONS.md lists what whoever deploys must be allowed',
      error,
    )
  const known = KNOWN.find(([pattern]) => pattern.test(name) || pattern.test(code))
  return known
    ? failure(known[1], known[2], error)
    : failure(`AWS refused: ${name}`, 'what it said is shown with --debug; run this again', error)
}

function namesOf(error: unknown): { readonly name: string; readonly code: string; readonly message: string } {
  const said = (error ?? {}) as { name?: unknown; code?: unknown; message?: unknown }
  const { name, code, message } = said
  return { name: textOf(name, 'unknown'), code: textOf(code, ''), message: textOf(message, '') }
}
