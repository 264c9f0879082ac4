// SPDX-License-Identifier: Apache-2.0
import { custodyOf, grantsOf, grantsOfKind } from '#infra/permissions/grants.ts'
import type { AwsNames } from '#infra/permissions/aws/names.ts'
import type { Identity, Waking } from '#infra/permissions/identities.ts'
import { arnOf, filledIn, logicalId, referencesOf, type Resources } from './references.ts'
import { routesOf } from './routes.ts'
import type { AwsSettings } from './settings.ts'

/** The function of a role, beside what every one has. */
interface Tuning {
  readonly memoryMb?: number
  /** Seconds until it is ended. */
  readonly timeout?: number
  /** How often it is called beside requests, as EventBridge says it. */
  readonly schedule?: string
}

/** An HTTP API gives up after 30 s; a function that ends before can still say so. */
const HTTP_TIMEOUT_S = 29
const LONGEST_S = 900
/** A function has CPU by its memory: a whole one from 1,769 MB. */
const MEMORY_MB = 512
/** Where requests carry objects. */
const OBJECTS_MB = 1024
/** Rows are small; a batch of marks is one run of the sequencer. */
const BATCH_ROWS = 1000
const BATCH_SECONDS = 1
const ATTEMPTS = 10

const TUNING: Readonly<Record<string, Tuning>> = {
  writer: { memoryMb: OBJECTS_MB },
  reader: { memoryMb: OBJECTS_MB },
  keeper: { memoryMb: OBJECTS_MB },
  bridge: { memoryMb: OBJECTS_MB },
  // Witnesses are asked in the same rounds.
  sequencer: { memoryMb: OBJECTS_MB, timeout: 60, schedule: 'rate(1 minute)' },
  // Eight slices of half a minute at most; requests end long before.
  auditor: { memoryMb: OBJECTS_MB, timeout: 300, schedule: 'rate(1 hour)' },
  // Woken by each order; what a crash left half done is found by the schedule.
  eraser: { timeout: LONGEST_S, schedule: 'rate(1 hour)' },
  sweeper: { timeout: LONGEST_S, schedule: 'rate(1 hour)' },
  // A slice while a client asks; half a minute of them on schedule.
  worker: { memoryMb: OBJECTS_MB, timeout: 300, schedule: 'rate(1 minute)' },
  // A run ends before the next one begins.
  follower: { timeout: 55, schedule: 'rate(1 minute)' },
  monitor: { timeout: 300, schedule: 'rate(1 minute)' },
  // A run ends before the next one begins.
  mirror: { memoryMb: OBJECTS_MB, timeout: 300, schedule: 'rate(5 minutes)' },
  // Readings each minute, records each hour: it sees itself when that is.
  checker: { memoryMb: OBJECTS_MB, timeout: LONGEST_S, schedule: 'rate(1 minute)' },
}

/** The functions of a deployment as osls takes them: one for each identity, each with its own role and bundle. */
export function functions(settings: AwsSettings): Readonly<Record<string, object>> {
  const names = referencesOf(settings.prefix, 'functions')
  return Object.fromEntries(
    settings.identities.map((identity) => {
      const { memoryMb = MEMORY_MB, timeout = HTTP_TIMEOUT_S } = TUNING[identity.name] ?? {}
      return [
        identity.name,
        {
          name: names.functionName(identity.name),
          handler: `dist/aws/${identity.name}/index.handler`,
          role: arnOf(logicalId(identity.name, 'Role')),
          memorySize: memoryMb,
          timeout,
          environment: { AMPERE_AWS: filledIn(JSON.stringify(namingOf(identity, settings))) },
          package: { patterns: [`dist/aws/${identity.name}/**`] },
          events: eventsOf(identity, names),
        },
      ]
    }),
  )
}

/** Where what failed for good is told: where in the stream it was, not what it was. */
export function deadLetters({ prefix, identities }: AwsSettings): Resources {
  const woken = identities.filter(({ wokenBy }) => wokenBy !== null)
  return Object.fromEntries(
    woken.map(({ name }) => [
      logicalId(name, 'Failures'),
      {
        Type: 'AWS::SQS::Queue',
        Properties: {
          QueueName: `${prefix}-${name}-failed`,
          SqsManagedSseEnabled: true,
          MessageRetentionPeriod: 14 * 86_400,
        },
      },
    ]),
  )
}

function eventsOf({ name, wokenBy }: Identity, names: AwsNames): readonly object[] {
  const schedule = TUNING[name]?.schedule
  return [
    ...routesOf(name).map(({ method, path }) => ({ httpApi: path === null ? '*' : { method, path } })),
    ...(wokenBy === null ? [] : [{ stream: streamOf(name, wokenBy, names) }]),
    ...(schedule === undefined ? [] : [{ schedule: { rate: [schedule], enabled: true } }]),
  ]
}

function streamOf(role: string, { table, partition }: Waking, { stream }: AwsNames): object {
  return {
    type: 'dynamodb',
    arn: filledIn(stream(table)),
    // What was marked before is found by the schedule.
    startingPosition: 'LATEST',
    batchSize: BATCH_ROWS,
    batchWindow: BATCH_SECONDS,
    maximumRetryAttempts: ATTEMPTS,
    bisectBatchOnFunctionError: true,
    filterPatterns: [newRowsOf(partition)],
    destinations: { onFailure: { arn: arnOf(logicalId(role, 'Failures')), type: 'sqs' } },
  }
}

/** Nothing else in the table costs a call: no row that is changed or removed, nor one of another partition. */
function newRowsOf(partition: string | null): object {
  const eventName = ['INSERT']
  return partition === null ? { eventName } : { eventName, dynamodb: { Keys: { pk: { S: [partition] } } } }
}

/** What the adapters call its tables, buckets and keys: names that only the template knows, and no secret. */
function namingOf(identity: Identity, { prefix, native }: AwsSettings): object {
  const names = referencesOf(prefix, 'functions')
  const grants = grantsOf(identity)
  const held = grantsOfKind(grants, 'key').map(({ name, access }) => ({
    name,
    custody: custodyOf(name, access, native),
  }))
  const kms = held.flatMap(({ name, custody }) =>
    custody === 'software'
      ? []
      : [[name, custody === 'unwraps' ? names.wrappingKey : names.signingKey(name)]],
  )
  const software = held.some(({ custody }) => custody === 'software')
  return {
    prefix,
    buckets: Object.fromEntries(
      grantsOfKind(grants, 'objects').map(({ name }) => [name, names.bucketName(name)]),
    ),
    keys: {
      kms: Object.fromEntries(kms),
      ...(software && { softwareKeys: { table: names.tableName('keys'), wrappingKey: names.wrappingKey } }),
    },
  }
}
