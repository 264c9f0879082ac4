// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '#core/errors.ts'
import {
  BACKUP,
  identitiesOf,
  moverOf,
  type Deploys,
  type Identity,
  type Moves,
} from '#infra/permissions/identities.ts'
import { otlpEndpointOf } from '../bundle/otlp-endpoint.ts'

/** What may be said of a deployment on Azure. */
export const DEFAULTS = {
  /** `home`, `bridge`, or `both` in one resource group. */
  deploys: 'home',
  /** `serverless`, or `provisioned`: each container then scales by itself up to `maxThroughput`. */
  capacity: 'serverless',
  maxThroughput: 4000,
  /** Of stores and vault: `Enabled`, or `Disabled` where private endpoints were made beside this template. */
  publicNetworkAccess: 'Enabled',
  /** `standard`, or `premium`: keys in an HSM. */
  vaultSku: 'standard',
  nodeVersion: 24,
  maxInstances: 40,
  logRetentionDays: 30,
  /** Object id in Entra of whoever sets the deployment up; empty for nobody, for example later on. */
  setUpPrincipal: '',
  /** What that is: `User`, or `ServicePrincipal` where a pipeline deploys. */
  setUpKind: 'User',
  /** Object id in Entra of whoever backs the home up; empty for nobody. */
  backupPrincipal: '',
  /** What that is, as of `setUpKind`. */
  backupKind: 'ServicePrincipal',
  alarmEmail: '',
  /** Of the resource group, per month, in the currency of the account; 0 for no budget. */
  budget: 0,
  /** The collector of telemetry, for ampere.json; empty for none. */
  otlpEndpoint: '',
}
export type Parameters = Readonly<Record<keyof typeof DEFAULTS, string | number>>

const KINDS = ['User', 'ServicePrincipal'] as const
export type PrincipalKind = (typeof KINDS)[number]

/** A deployment on Azure, as its template is made. */
export interface AzureSettings {
  readonly prefix: string
  readonly identities: readonly Identity[]
  readonly deploys: Deploys
  /** What whoever migrates its home does, while it moves; else null. */
  readonly mover: Identity | null
  /** What whoever backs its home up does; null where nobody may, or there is none. */
  readonly backup: Identity | null
  readonly capacity: 'serverless' | 'provisioned'
  readonly maxThroughput: number
  readonly publicNetworkAccess: 'Enabled' | 'Disabled'
  readonly vaultSku: 'standard' | 'premium'
  readonly nodeVersion: '22' | '24'
  readonly maxInstances: number
  readonly logRetentionDays: number
  readonly setUpPrincipal: string
  readonly setUpKind: PrincipalKind
  readonly backupPrincipal: string
  readonly backupKind: PrincipalKind
  readonly alarmEmail: string
  readonly budget: number
  readonly otlpEndpoint: string
}

/** What a workspace of Log Analytics keeps its logs for, at least (30 days cost nothing more) and at most. */
const RETENTION_DAYS = [30, 730] as const
const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * @param moves what is done with the home, while it moves
 * @throws AmpereError CONFIGURATION, naming the parameter
 */
export function settingsOf(stage: string, given: Parameters, moves: Moves | null = null): AzureSettings {
  if (!/^[a-z][a-z0-9-]{0,14}[a-z0-9]$|^[a-z]$/.test(stage))
    throw wrong(
      'the stage is 1 to 16 of a-z, 0-9 and -, beginning with a letter: accounts have it in their names',
    )
  const alarmEmail = String(given.alarmEmail)
  if (alarmEmail !== '' && !/^[^@\s]+@[^@\s]+$/.test(alarmEmail)) throw wrong('alarmEmail is no address')
  const setUpPrincipal = principal('setUpPrincipal', given.setUpPrincipal)
  const backupPrincipal = principal('backupPrincipal', given.backupPrincipal)
  const budget = whole('budget', given.budget, 0, 1_000_000)
  if (budget > 0 && alarmEmail === '') throw wrong('budget needs alarmEmail: a budget tells somebody')
  const deploys = oneOf('deploys', given.deploys, ['home', 'bridge', 'both'])
  return {
    prefix: `ampere-${stage}`,
    identities: identitiesOf(deploys),
    deploys,
    mover: moves && moverOf(moves),
    backup: deploys === 'bridge' || backupPrincipal === '' ? null : BACKUP,
    capacity: oneOf('capacity', given.capacity, ['serverless', 'provisioned']),
    maxThroughput: whole('maxThroughput', given.maxThroughput, 1000, 1_000_000),
    publicNetworkAccess: oneOf('publicNetworkAccess', given.publicNetworkAccess, ['Enabled', 'Disabled']),
    vaultSku: oneOf('vaultSku', given.vaultSku, ['standard', 'premium']),
    nodeVersion: oneOf('nodeVersion', given.nodeVersion, ['24', '22']),
    maxInstances: whole('maxInstances', given.maxInstances, 40, 1000),
    logRetentionDays: whole('logRetentionDays', given.logRetentionDays, ...RETENTION_DAYS),
    setUpPrincipal,
    setUpKind: oneOf('setUpKind', given.setUpKind, KINDS),
    backupPrincipal,
    backupKind: oneOf('backupKind', given.backupKind, KINDS),
    alarmEmail,
    budget,
    otlpEndpoint: otlpEndpointOf(given.otlpEndpoint),
  }
}

function principal(name: string, given: string | number): string {
  const id = String(given)
  if (id !== '' && !GUID.test(id)) throw wrong(`${name} is no object id: 8-4-4-4-12 of 0-9 and a-f`)
  return id
}

function oneOf<const T extends string>(name: string, given: string | number, of: readonly T[]): T {
  const found = of.find((one) => one === String(given))
  if (found === undefined) throw wrong(`${name} is one of ${of.join(', ')}`)
  return found
}

function whole(name: string, given: string | number, min: number, max: number): number {
  const value = Number(given)
  if (String(given).trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value
  throw wrong(`${name} is a whole number from ${min} to ${max}`)
}

function wrong(message: string): AmpereError {
  return new AmpereError('CONFIGURATION', message)
}
