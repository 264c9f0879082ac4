// SPDX-License-Identifier: Apache-2.0
import { isAmpereError } from '#core/errors.ts'
import { failure, textOf, type DeployFailure } from '../failure.ts'

/** What Azure Resource Manager says of a failure: a code, a text, and more of both within. */
export interface ArmError {
  readonly code: string
  readonly message: string
}

const AGAIN = 'run this again'
const LOG_IN = 'log in: az login'
/** What is wrong, by the code that Azure gives it, and what to do. */
const KNOWN: readonly (readonly [RegExp, string, string])[] = [
  [
    /CredentialUnavailable|AuthenticationRequired|AggregateAuthentication|ChainedTokenCredential/,
    'there are no credentials for Azure',
    'az login, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET',
  ],
  [
    /^AADSTS(?:500133|700024)$|NotYetValid/,
    'the clock of this computer is wrong',
    'set the clock by a time server',
  ],
  [
    /^AADSTS(?:50173|70043|700082|700084)$|Expired\w*Token|TokenExpired/,
    'the credentials for Azure have expired',
    LOG_IN,
  ],
  [
    /^AADSTS|InvalidAuthenticationToken|AuthenticationFailed|AuthenticationError/,
    'Azure does not know these credentials',
    LOG_IN,
  ],
  [
    /^(?:Subscription|InvalidSubscription)(?:NotFound|Id)/,
    'there is no such subscription, or this account does not see it',
    'az account list, then --subscription ID',
  ],
  [
    /DisabledSubscription|SubscriptionNotEnabled/,
    'the subscription is disabled',
    'enable it, or choose another: --subscription ID',
  ],
  [
    /^(?:LocationNotAvailable\w*|InvalidLocation|NoRegisteredProviderFound|LocationNotSupported|RegionIsOfferRestricted|RequestDisallowedByAzure)$/,
    'the region does not have all that is needed, or not for this subscription',
    'choose another: --region',
  ],
  [
    /^(?:StorageAccountAlreadyTaken|VaultAlreadyExists|ServiceAlreadyExists|DatabaseAccountAlreadyExists|NameNotAvailable|AccountNameInvalid|WebsiteNameAlreadyTaken)/,
    'a name is taken: names of accounts are one for the world, and a vault keeps its own for 90 days after it was deleted',
    'choose another --stage, or recover what was deleted: az keyvault recover',
  ],
  [
    /Quota|LimitExceeded|LimitReached|MaxNumberOf|MaxStorageAccounts/,
    'a quota of the subscription is used up',
    'ask Azure to raise it, or choose another --region, then run this again',
  ],
  [
    /^RequestDisallowedByPolicy$/,
    'a policy of the organisation forbids a part of it',
    'ask who keeps the policies; --debug shows which',
  ],
  [
    /^(?:DeploymentActive|AnotherOperationInProgress|ResourceGroupBeingDeleted)$/,
    'another deployment or deletion is running there',
    'wait until it has ended, then run this again',
  ],
  [/Throttl|TooManyRequests|^429$/, 'Azure asks for fewer requests', 'run this again in a minute'],
  [
    /^(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EPIPE|REQUEST_SEND_ERROR|AbortError)$/,
    'Azure is not reached',
    'check the network, then run this again',
  ],
  [/^(?:5\d\d|InternalServerError|ServiceUnavailable|ServerTimeout)$/, 'Azure cannot answer now', AGAIN],
]
const DENIED = /perform action '([A-Za-z0-9./*]+)'/
const UNREGISTERED = /namespace '([A-Za-z0-9.]+)'/
const AADSTS = /AADSTS\d+/

/** What asking Azure failed with, in one line; what it said beyond that is the cause. */
export function failureOf(error: unknown): DeployFailure {
  if (isAmpereError(error)) return error
  const { name, code, message } = (error ?? {}) as Record<string, unknown>
  const said = [AADSTS.exec(textOf(message, ''))?.[0] ?? '', textOf(code, ''), textOf(name, '')]
  return (
    said.map((one) => knownFailure(one, error)).find((one) => one !== null) ??
    failure(
      `Azure was not asked: ${said.find((one) => one !== '') ?? 'for no known reason'}`,
      'what was said is shown with --debug; run this again',
      error,
    )
  )
}

/** What Azure refused with, in one line. @param what was to be done, for example "the deployment" */
export function refusal(what: string, error: ArmError): DeployFailure {
  const { code, message } = innermost(error)
  if (/AuthorizationFailed|Forbidden|AccessDenied/.test(code))
    return failure(
      `this account may not ${DENIED.exec(message)?.[1] ?? 'do this'}`,
      'docs/OPERATIONS.md lists what whoever deploys must be allowed',
      cause(error),
    )
  if (code === 'MissingSubscriptionRegistration') {
    const namespace = UNREGISTERED.exec(message)?.[1] ?? 'NAME'
    return failure(
      `the subscription does not use ${namespace} yet`,
      `az provider register --namespace ${namespace}, then run this again`,
      cause(error),
    )
  }
  return (
    knownFailure(code, cause(error)) ??
    failure(
      `Azure refused ${what}: ${code}`,
      'what it said is shown with --debug; run this again',
      cause(error),
    )
  )
}

/** The error of an answer, as ARM writes it; for a body that says nothing, its status. */
export function errorIn(body: unknown, status: number): ArmError {
  const { error } = (body ?? {}) as { error?: { code?: unknown; message?: unknown; details?: unknown } }
  return { ...error, code: textOf(error?.code, String(status)), message: textOf(error?.message, '') }
}

/** Of errors within errors, the one that says why: the first of the deepest. */
export function innermost(error: ArmError): ArmError {
  const { details } = error as { details?: unknown }
  const [first] = Array.isArray(details) ? (details as unknown[]) : []
  const within = first as Partial<ArmError> | undefined
  if (within && typeof within.code === 'string')
    return innermost({ ...within, code: within.code, message: textOf(within.message, '') })
  // Some services put the answer of another into their own text.
  const quoted = /"code":\s*"(\w+)"/.exec(error.message)?.[1]
  return error.code === 'Conflict' && quoted !== undefined ? { ...error, code: quoted } : error
}

function knownFailure(code: string, error: unknown): DeployFailure | null {
  const known = KNOWN.find(([pattern]) => code !== '' && pattern.test(code))
  return known ? failure(known[1], known[2], error) : null
}

function cause({ code, message }: ArmError): Error {
  return new Error(`${code}: ${message}`)
}
