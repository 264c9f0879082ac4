// SPDX-License-Identifier: Apache-2.0
import type { Provider } from '#infra/bundle/bundle.ts'
import { UNITS, type Units } from '#infra/prices/units.ts'

/** When the pages below were read, in stored copies that may be older than that. */
export const READ_ON = '2026-11-29'

/** One limit of a service, with where it is said. `page` is null for what no page was found for: then it is from memory. */
export interface Limit {
  readonly value: number
  readonly unit: string
  readonly page: string | null
  /** Whether a provider raises it on request. */
  readonly raisable: boolean
}

/** Limits that the model uses. Any of them may be set to Infinity, to ask what limits next. */
export interface Limits {
  /** Of one partition of a table, per second. Cosmos DB has one figure for both. */
  readonly partitionReads: Limit
  readonly partitionWrites: Limit
  /** Of one table or container, per second. */
  readonly tableReads: Limit
  readonly tableWrites: Limit
  readonly objectWrites: Limit
  readonly objectReads: Limit
  /** Requests that are answered at the same time. */
  readonly concurrency: Limit
  readonly requests: Limit
  /** Bytes of one partition. */
  readonly partitionBytes: Limit
}

/** How long a call takes, in milliseconds. All are assumptions: nothing of this project has run on either cloud. */
export interface Latencies {
  readonly table: number
  readonly objectWrite: number
  readonly objectRead: number
  /** The log's keys are software keys in memory: their time is in the CPU time that is measured. */
  readonly key: number
}

export interface Profile {
  readonly provider: Provider
  readonly limits: Limits
  readonly latencies: Latencies
  readonly billing: Units
}

const DYNAMO_PARTITION =
  'Best practices for designing and using partition keys effectively in DynamoDB (amazondynamodb/latest/developerguide/bp-partition-key-design.html)'
const DYNAMO_TABLE = 'Quotas in Amazon DynamoDB (amazondynamodb/latest/developerguide/Limits.html)'
const S3 = 'Why am I getting HTTP 5xx errors from S3 (repost.aws/knowledge-center/http-5xx-errors-s3)'
const LAMBDA =
  'Lambda Operator Guide, Scaling and concurrency in Lambda (serverlessland.com); Lambda scaling behavior (lambda/latest/dg/scaling-behavior.html)'
const COSMOS = 'Azure Cosmos DB service quotas (learn.microsoft.com/azure/cosmos-db/concepts-limits)'
const BLOB =
  'Scalability and performance targets for standard storage accounts (learn.microsoft.com/azure/storage/common/scalability-targets-standard-account)'

const limit = (value: number, unit: string, page: string | null, raisable = false): Limit => ({
  value,
  unit,
  page,
  raisable,
})

const AWS: Profile = {
  provider: 'aws',
  limits: {
    partitionReads: limit(3_000, 'read units/s', DYNAMO_PARTITION),
    partitionWrites: limit(1_000, 'write units/s', DYNAMO_PARTITION),
    tableReads: limit(40_000, 'read units/s, on demand', DYNAMO_TABLE, true),
    tableWrites: limit(40_000, 'write units/s, on demand', DYNAMO_TABLE, true),
    objectWrites: limit(3_500, 'PUT/s of a prefix that S3 has not split yet', S3),
    objectReads: limit(5_500, 'GET/s of a prefix that S3 has not split yet', S3),
    concurrency: limit(1_000, 'requests at once, of all functions', LAMBDA, true),
    requests: limit(10_000, 'requests/s of an HTTP API', null, true),
    partitionBytes: limit(Infinity, 'B', null),
  },
  latencies: { table: 5, objectWrite: 30, objectRead: 20, key: 0 },
  billing: UNITS.aws,
}

const AZURE: Profile = {
  provider: 'azure',
  limits: {
    partitionReads: limit(10_000, 'RU/s', COSMOS),
    partitionWrites: limit(10_000, 'RU/s, reads among them', COSMOS),
    tableReads: limit(1_000_000, 'RU/s of a container', COSMOS, true),
    tableWrites: limit(1_000_000, 'RU/s of a container, reads among them', COSMOS, true),
    objectWrites: limit(20_000, 'requests/s of an account (40,000 in the largest regions)', BLOB, true),
    objectReads: limit(20_000, 'requests/s of an account (40,000 in the largest regions)', BLOB, true),
    concurrency: limit(1_000, 'instances of an app, one request each', null, true),
    requests: limit(Infinity, 'requests/s', null),
    partitionBytes: limit(20 * 2 ** 30, 'B', COSMOS),
  },
  latencies: { table: 8, objectWrite: 30, objectRead: 20, key: 0 },
  billing: UNITS.azure,
}

export const PROFILES: readonly Profile[] = [AWS, AZURE]

/** A profile with some limits replaced, for example by Infinity. */
export function withLimits(profile: Profile, changed: Partial<Record<keyof Limits, number>>): Profile {
  const replaced = Object.entries(changed).map(([name, value]) => [
    name,
    { ...profile.limits[name as keyof Limits], value },
  ])
  return { ...profile, limits: { ...profile.limits, ...Object.fromEntries(replaced) } }
}

/** What the table says beside limits of the model: key services, which no append and no run calls (docs/CAPACITY.md). */
export const KEY_SERVICES: readonly (Limit & { readonly name: string })[] = [
  {
    name: 'AWS KMS, ECC keys; ML-DSA keys alike',
    ...limit(
      1_000,
      'requests/s, shared',
      'Request quotas (kms/latest/developerguide/requests-per-second.html)',
      true,
    ),
  },
  {
    name: 'Azure Key Vault, P-256 in an HSM (4,000 in software)',
    ...limit(
      2_000,
      'transactions in 10 s of a vault',
      'Azure Key Vault service limits (learn.microsoft.com/azure/key-vault/general/service-limits)',
    ),
  },
]
