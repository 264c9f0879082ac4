// SPDX-License-Identifier: Apache-2.0
import type { ObjectsName, TableName } from '#core/ports/needs.ts'
import { custodyOf, grantsOf, grantsOfKind } from '#infra/permissions/grants.ts'
import {
  arnOf,
  filledIn,
  logicalId,
  referencesOf,
  RETAINED,
  type Resource,
  type Resources,
} from './references.ts'
import type { AwsSettings } from './settings.ts'

/**
 * Every table. `ofKeys`: erasure, or an answer that was fetched, destroys what is in it, so that its backups end within `keyRecoveryDays`. `keys` has the
 * wrapped seeds of software keys. None is a global table: rows are compared and swapped in all that are written to, the
 * tombstones of `wraps` among them, and of two regions that do so the later one would win unseen.
 */
const TABLES: Readonly<Record<TableName | 'keys', { readonly ofKeys?: true; readonly wakes?: true }>> = {
  blocks: {},
  states: {},
  wraps: { ofKeys: true },
  packages: { ofKeys: true },
  labels: { ofKeys: true },
  registry: {},
  following: {},
  chains: {},
  dirty: { wakes: true },
  jobs: { wakes: true },
  receipts: {},
  quotas: {},
  leaves: {},
  checkpoints: {},
  audits: {},
  witness: {},
  monitored: {},
  bridge: {},
  mirror: {},
  'mirror-keys': { ofKeys: true },
  enrolments: { ofKeys: true },
  keys: {},
}

/** Stores whose objects may go by themselves, and after how many days: what is there for so long, nobody appends any more. */
const EXPIRES: { readonly [N in ObjectsName]?: number } = { uploads: 2 }

/** The tables that this deployment's identities use. */
export function tables(settings: AwsSettings): Resources {
  const grants = settings.identities.flatMap(grantsOf)
  const used = new Set<TableName | 'keys'>(grantsOfKind(grants, 'table').map(({ name }) => name))
  const software = grantsOfKind(grants, 'key').some(
    ({ name, access }) => custodyOf(name, access, settings.native) === 'software',
  )
  if (software) used.add('keys')
  const names = (Object.keys(TABLES) as (TableName | 'keys')[]).filter((name) => used.has(name))
  return Object.fromEntries(names.map((name) => [logicalId(name, 'Table'), table(name, settings)]))
}

function table(name: TableName | 'keys', settings: AwsSettings): Resource {
  const { ofKeys, wakes } = TABLES[name]
  const days = ofKeys ? settings.keyRecoveryDays : settings.recoveryDays
  return {
    Type: 'AWS::DynamoDB::Table',
    ...RETAINED,
    Properties: {
      TableName: referencesOf(settings.prefix, 'stores').tableName(name),
      BillingMode: 'PAY_PER_REQUEST',
      DeletionProtectionEnabled: true,
      AttributeDefinitions: ['pk', 'sk'].map((key) => ({ AttributeName: key, AttributeType: 'S' })),
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: arnOf('DataKey') },
      PointInTimeRecoverySpecification:
        days > 0
          ? { PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: days }
          : { PointInTimeRecoveryEnabled: false },
      // Who is woken reads the table itself; what changed is not sent again.
      ...(wakes && { StreamSpecification: { StreamViewType: 'KEYS_ONLY' } }),
    },
  }
}

/** The buckets that this deployment's identities use, and what each refuses. */
export function buckets(settings: AwsSettings): Resources {
  const stores = settings.identities.flatMap((identity) => grantsOfKind(grantsOf(identity), 'objects'))
  const names = [...new Set(stores.map(({ name }) => name))].toSorted()
  return Object.fromEntries(
    names.flatMap((name) => [
      [logicalId(name, 'Bucket'), bucket(name, settings)],
      [logicalId(name, 'BucketPolicy'), bucketPolicy(name, settings)],
    ]),
  )
}

/** Without versions, for an object that is shredded must be gone, and without public access of any kind. */
function bucket(name: ObjectsName, { prefix }: AwsSettings): Resource {
  const days = EXPIRES[name]
  return {
    Type: 'AWS::S3::Bucket',
    ...RETAINED,
    Properties: {
      BucketName: filledIn(referencesOf(prefix, 'stores').bucketName(name)),
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          {
            BucketKeyEnabled: true,
            ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: arnOf('DataKey') },
          },
        ],
      },
      LifecycleConfiguration: {
        Rules: [
          {
            Id: 'unfinished-uploads',
            Status: 'Enabled',
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
          },
          ...(days === undefined ? [] : [{ Id: 'expired', Status: 'Enabled', ExpirationInDays: days }]),
        ],
      },
    },
  }
}

function bucketPolicy(name: ObjectsName, { prefix }: AwsSettings): Resource {
  const arn = referencesOf(prefix, 'stores').bucket(name)
  return {
    Type: 'AWS::S3::BucketPolicy',
    ...RETAINED,
    Properties: {
      Bucket: { Ref: logicalId(name, 'Bucket') },
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Sid: 'OnlyTls',
            Effect: 'Deny',
            Principal: '*',
            Action: 's3:*',
            Resource: filledIn([arn, `${arn}/*`]),
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          },
        ],
      },
    },
  }
}
