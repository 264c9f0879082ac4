// SPDX-License-Identifier: Apache-2.0
import { failure } from '../failure.ts'
import type { Arm, Connection } from './arm.ts'
import { failureOf } from './failure.ts'

/** Who deploys, as Azure sees it. */
export interface Account {
  /** Object id in Entra, which rights are given to. */
  readonly principal: string
  readonly kind: 'User' | 'ServicePrincipal'
  /** What people call it. */
  readonly name: string
}

const SCOPE = 'https://management.azure.com/.default'
const VERSION = '2022-12-01'
/** How far a clock may be off: tokens and signatures are dated. In milliseconds. */
const SKEW_MS = 5 * 60_000

/** @throws DeployFailure for credentials that are missing, expired or unknown */
export async function whoAmI({ credential }: Connection): Promise<Account> {
  try {
    const token = await credential.getToken(SCOPE)
    return accountOf(claimsOf(token?.token ?? ''))
  } catch (error) {
    throw failureOf(error)
  }
}

/** What a token says of who has it. It is not checked here: Azure does that, and only the id is used. */
function claimsOf(token: string): Readonly<Record<string, unknown>> {
  try {
    const [, payload = ''] = token.split('.')
    return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Record<string, unknown>
  } catch {
    return {}
  }
}

function accountOf(claims: Readonly<Record<string, unknown>>): Account {
  const text = (name: string) => {
    const value = claims[name]
    return typeof value === 'string' ? value : undefined
  }
  const principal = text('oid')
  if (principal === undefined)
    throw failure('Azure did not say who this is', 'log in again: az login, then run this again')
  const isApp = text('idtyp') === 'app' || (text('idtyp') === undefined && text('scp') === undefined)
  const name = text('upn') ?? text('unique_name') ?? text('appid') ?? principal
  return { principal, kind: isApp ? 'ServicePrincipal' : 'User', name }
}

/** The subscription that is meant: one that was named, or the only one. @throws DeployFailure */
export async function subscriptionOf(arm: Arm, named: string | undefined): Promise<string> {
  if (named !== undefined && named !== '') {
    const { state } = (await arm.get(`/subscriptions/${encodeURIComponent(named)}`, VERSION)) as {
      state?: string
    }
    if (state === 'Enabled' || state === 'PastDue') return named
    throw failure(
      `the subscription is ${(state ?? 'unknown').toLowerCase()}`,
      'enable it, or choose another: --subscription ID',
    )
  }
  const all = (await arm.list('/subscriptions', VERSION)) as readonly {
    subscriptionId?: string
    state?: string
  }[]
  const enabled = all.filter(({ state }) => state === 'Enabled')
  const [only, second] = enabled
  if (only?.subscriptionId !== undefined && !second) return only.subscriptionId
  throw failure(
    only
      ? `this account has ${enabled.length} subscriptions`
      : 'this account has no subscription that is enabled',
    'az account list, then --subscription ID, or set AZURE_SUBSCRIPTION_ID',
  )
}

/** To be asked once Azure has answered. @throws DeployFailure for a clock that is wrong */
export function checkClock(arm: Arm, now: number): void {
  const theirs = arm.clock()
  if (theirs === null || Number.isNaN(theirs) || Math.abs(now - theirs) <= SKEW_MS) return
  throw failure(
    `the clock of this computer is ${Math.round(Math.abs(now - theirs) / 60_000)} minutes ${now > theirs ? 'fast' : 'slow'}`,
    'set the clock by a time server',
  )
}
