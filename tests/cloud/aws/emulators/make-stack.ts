// SPDX-License-Identifier: Apache-2.0
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { CreateKeyCommand, KMSClient, type KeySpec } from '@aws-sdk/client-kms'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { randomBytes } from 'node:crypto'
import type { AwsService } from '#adapters/aws/clients/calls.ts'
import type { AwsNaming } from '#adapters/aws/clients/naming.ts'
import { openAws, type AwsOptions } from '#adapters/aws/open.ts'
import type { KeyName, ObjectsName, TableName } from '#core/ports/needs.ts'

const REGION = 'eu-central-1'
export const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' } as const

/** Where the emulators listen: `npm run test:aws` and the benchmarks start them. */
const MINISTACK = process.env['AMPERE_AWS_MINISTACK']
const DYNAMODB_LOCAL = process.env['AMPERE_AWS_DYNAMODB']

/** Emulators of all services. The second has Amazon's own one for tables. */
export type Emulator = 'MiniStack' | 'MiniStack with DynamoDB Local'

const TABLES = [
  'blocks',
  'states',
  'wraps',
  'packages',
  'labels',
  'registry',
  'chains',
  'dirty',
  'jobs',
  'receipts',
  'quotas',
  'leaves',
  'checkpoints',
  'audits',
  'witness',
  'monitored',
  'bridge',
  'mirror',
  'mirror-keys',
  'enrolments',
] as const satisfies readonly TableName[]
const BUCKETS = [
  'entries',
  'originals',
  'log',
  'staging',
  'mirror',
  'uploads',
] as const satisfies readonly ObjectsName[]
const KMS_KEYS = {
  instance: 'ECC_NIST_P256',
  bridge: 'ECC_NIST_P256',
  institution: 'ECC_NIST_P256',
  controller: 'ECC_NIST_P256',
  sealing: 'SYMMETRIC_DEFAULT',
} as const satisfies Partial<Record<KeyName, KeySpec>>

/** What a template would have made, on an emulator, under a prefix of its own. */
export interface Stack {
  /** What opens it; `makesKeys` is set, because nothing set it up before. */
  readonly options: AwsOptions
  readonly open: (more?: Partial<AwsOptions>) => ReturnType<typeof openAws>
}

export async function makeStack(
  emulator: Emulator,
  more: { readonly tables?: readonly TableName[]; readonly buckets?: readonly ObjectsName[] } = {},
): Promise<Stack> {
  const endpoint = endpoints(emulator)
  const prefix = `t${randomBytes(6).toString('hex')}`
  const at = (service: AwsService) => ({
    region: REGION,
    credentials: CREDENTIALS,
    endpoint: endpoint[service],
  })
  const naming: AwsNaming = {
    prefix,
    buckets: { bucketPrefix: prefix },
    keys: {
      kms: await makeKeys(at('kms')),
      softwareKeys: {
        table: `${prefix}-software-keys`,
        wrappingKey: await makeKey(at('kms'), 'SYMMETRIC_DEFAULT'),
      },
    },
  }
  const tables = [...(more.tables ?? TABLES), 'software-keys']
  await makeTables(
    at('dynamodb'),
    tables.map((name) => `${prefix}-${name}`),
  )
  await makeBuckets(
    at('s3'),
    (more.buckets ?? BUCKETS).map((name) => `${prefix}-${name}`),
  )
  // An emulator on a busy machine is slower than AWS.
  const answerMs = 60_000
  const options = { region: REGION, credentials: CREDENTIALS, endpoint, naming, makesKeys: true, answerMs }
  return { options, open: (given = {}) => openAws({ ...options, ...given }) }
}

function endpoints(emulator: Emulator): Record<AwsService, string> {
  if (MINISTACK === undefined) throw new Error('MiniStack does not run')
  if (emulator === 'MiniStack') return { dynamodb: MINISTACK, s3: MINISTACK, kms: MINISTACK }
  if (DYNAMODB_LOCAL === undefined) throw new Error('DynamoDB Local does not run')
  return { dynamodb: DYNAMODB_LOCAL, s3: MINISTACK, kms: MINISTACK }
}

type At = { readonly region: string; readonly credentials: typeof CREDENTIALS; readonly endpoint: string }

async function makeKeys(at: At): Promise<Record<keyof typeof KMS_KEYS, string>> {
  const made = Object.entries(KMS_KEYS).map(async ([name, spec]) => [name, await makeKey(at, spec)] as const)
  return Object.fromEntries(await Promise.all(made)) as Record<keyof typeof KMS_KEYS, string>
}

/** A key of KMS, by its id. */
export async function makeKey(at: At, KeySpec: KeySpec): Promise<string> {
  const client = new KMSClient(at)
  const KeyUsage = KeySpec === 'SYMMETRIC_DEFAULT' ? 'ENCRYPT_DECRYPT' : 'SIGN_VERIFY'
  const { KeyMetadata } = await client.send(new CreateKeyCommand({ KeySpec, KeyUsage }))
  client.destroy()
  return KeyMetadata?.KeyId ?? ''
}

async function makeTables(at: At, names: readonly string[]): Promise<void> {
  const client = new DynamoDBClient(at)
  for (const TableName of names)
    await client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [
          { AttributeName: 'pk', AttributeType: 'S' },
          { AttributeName: 'sk', AttributeType: 'S' },
        ],
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
      }),
    )
  client.destroy()
}

async function makeBuckets(at: At, names: readonly string[]): Promise<void> {
  const client = new S3Client({ ...at, forcePathStyle: true })
  for (const Bucket of names) await client.send(new CreateBucketCommand({ Bucket }))
  client.destroy()
}
