// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '#core/errors.ts'
import type { SignatureAlgorithm } from '#core/ports/keys.ts'
import { AWS_NATIVE } from '#infra/permissions/aws/policy.ts'
import {
  BACKUP,
  identitiesOf,
  moverOf,
  type Deploys,
  type Identity,
  type Moves,
} from '#infra/permissions/identities.ts'
import { otlpEndpointOf } from '../bundle/otlp-endpoint.ts'

/** What may be said of a deployment with `--param NAME=VALUE`; serverless.yml has the defaults. */
export const PARAMETERS = [
  'deploys',
  'recoveryDays',
  'keyRecoveryDays',
  'logRetentionDays',
  'nativeKeys',
  'alarmEmail',
  'kmsCallsPerHour',
  'budgetUsd',
  'otlpEndpoint',
] as const
export type Parameters = Readonly<Record<(typeof PARAMETERS)[number], string | number>>

/** The same as in serverless.yml. */
export const DEFAULTS: Parameters = {
  deploys: 'home',
  recoveryDays: 35,
  keyRecoveryDays: 35,
  logRetentionDays: 30,
  nativeKeys: '',
  alarmEmail: '',
  kmsCallsPerHour: 10_000,
  budgetUsd: 0,
  otlpEndpoint: '',
}

/** A deployment on AWS, as its template is made. */
export interface AwsSettings {
  readonly prefix: string
  readonly identities: readonly Identity[]
  readonly deploys: Deploys
  /** Who migrates its home, while it moves; else null. */
  readonly mover: Identity | null
  /** Who backs its home up; null where there is none. */
  readonly backup: Identity | null
  /** Days that a table can be restored to: 1..35, 0 for none. Of tables with keys that erasure destroys, its own. */
  readonly recoveryDays: number
  readonly keyRecoveryDays: number
  readonly logRetentionDays: number
  /** What KMS signs with, in this region. */
  readonly native: readonly SignatureAlgorithm[]
  /** Who is told; empty for nobody. */
  readonly alarmEmail: string
  readonly kmsCallsPerHour: number
  /** Of the account, per month; 0 for no budget. */
  readonly budgetUsd: number
  /** The collector of telemetry, for ampere.json; empty for none. */
  readonly otlpEndpoint: string
}

/** What CloudWatch Logs can keep a log for, of up to a year (API reference, PutRetentionPolicy). */
const RETENTIONS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365]
/** DynamoDB restores at most so far back; a destroyed key must not come back later. */
const MAX_RECOVERY_DAYS = 35
const ALGORITHMS: readonly SignatureAlgorithm[] = ['ES256', 'Ed25519', 'ML-DSA-44']

/**
 * What is not given is as in `DEFAULTS`.
 * @param moves what is done with the home, while it moves
 * @throws AmpereError CONFIGURATION, naming the parameter
 */
export function settingsOf(
  stage: string,
  parameters: Partial<Parameters>,
  moves: Moves | null = null,
): AwsSettings {
  const given = { ...DEFAULTS, ...parameters }
  if (!/^[a-z][a-z0-9-]{0,15}$/.test(stage))
    throw wrong(
      'the stage is 1 to 16 of a-z, 0-9 and -, beginning with a letter: buckets have it in their names',
    )
  const deploys = String(given.deploys)
  if (deploys !== 'home' && deploys !== 'bridge' && deploys !== 'both')
    throw wrong('deploys is home, bridge or both')
  const logRetentionDays = whole('logRetentionDays', given.logRetentionDays, 1, 365)
  if (!RETENTIONS.includes(logRetentionDays))
    throw wrong(`logRetentionDays is one of ${RETENTIONS.join(', ')}`)
  const alarmEmail = String(given.alarmEmail)
  if (alarmEmail !== '' && !/^[^@\s]+@[^@\s]+$/.test(alarmEmail)) throw wrong('alarmEmail is no address')
  const budgetUsd = whole('budgetUsd', given.budgetUsd, 0, 1_000_000)
  if (budgetUsd > 0 && alarmEmail === '') throw wrong('budgetUsd needs alarmEmail: a budget tells somebody')
  return {
    prefix: `ampere-${stage}`,
    identities: identitiesOf(deploys),
    deploys,
    mover: moves && moverOf(moves),
    backup: deploys === 'bridge' ? null : BACKUP,
    recoveryDays: whole('recoveryDays', given.recoveryDays, 0, MAX_RECOVERY_DAYS),
    keyRecoveryDays: whole('keyRecoveryDays', given.keyRecoveryDays, 0, MAX_RECOVERY_DAYS),
    logRetentionDays,
    native: nativeOf(String(given.nativeKeys)),
    alarmEmail,
    kmsCallsPerHour: whole('kmsCallsPerHour', given.kmsCallsPerHour, 1, 100_000_000),
    budgetUsd,
    otlpEndpoint: otlpEndpointOf(given.otlpEndpoint),
  }
}

function nativeOf(listed: string): readonly SignatureAlgorithm[] {
  const names = listed
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  const unknown = names.find((name) => !ALGORITHMS.some((alg) => alg === name))
  if (unknown !== undefined) throw wrong(`nativeKeys lists some of ${ALGORITHMS.join(', ')}`)
  return ALGORITHMS.filter((alg) => AWS_NATIVE.includes(alg) || names.includes(alg))
}

function whole(name: string, given: string | number, min: number, max: number): number {
  const value = Number(given)
  if (String(given).trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value
  throw wrong(`${name} is a whole number from ${min} to ${max}`)
}

function wrong(message: string): AmpereError {
  return new AmpereError('CONFIGURATION', message)
}
