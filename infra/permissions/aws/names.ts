// SPDX-License-Identifier: Apache-2.0
import type { KeyName, ObjectsName, TableName } from '#core/ports/needs.ts'

/** Where a deployment is, and the identifiers that its provider chose. Each may be a reference of a template. */
export interface AwsPlace {
  /** Begins every name, for example `ampere-prod`. */
  readonly prefix: string
  /** `aws`, `aws-cn`, `aws-us-gov`. */
  readonly partition: string
  readonly region: string
  readonly account: string
  /** ARNs, which hold what the key service chose. */
  readonly dataKey: string
  readonly wrappingKey: string
  readonly signingKey: (name: KeyName) => string
  /** ARN of the stream of a table. */
  readonly stream: (name: TableName) => string
}

/** The ARNs of a deployment, and the names that its adapters use. */
export interface AwsNames extends AwsPlace {
  readonly tableName: (name: TableName | 'keys') => string
  readonly table: (name: TableName | 'keys') => string
  readonly bucketName: (name: ObjectsName) => string
  readonly bucket: (name: ObjectsName) => string
  readonly functionName: (identity: string) => string
  readonly role: (identity: string) => string
  readonly logGroup: (identity: string) => string
  /** Where what failed for good is told. */
  readonly deadLetters: (identity: string) => string
  readonly serviceHost: (service: 'dynamodb' | 's3') => string
}

/** The context under which the wrapping key wraps a seed, so that no key opens as another. */
export const KEY_CONTEXT = 'ampere-key'

/** The bucket of a store: its name is one of all accounts'. */
export function bucketNameOf(
  { prefix, account, region }: Pick<AwsPlace, 'prefix' | 'account' | 'region'>,
  store: ObjectsName,
): string {
  return `${prefix}-${store}-${account}-${region}`
}

/** Names of everything in a deployment. Every table has the keys `pk` and `sk`; of `keys`, `pk` is the name of the key. */
export function awsNames(place: AwsPlace): AwsNames {
  const { prefix, partition, region, account } = place
  const arn = (service: string, rest: string, where = `${region}:${account}`) =>
    `arn:${partition}:${service}:${where}:${rest}`
  const tableName = (name: string) => `${prefix}-${name}`
  const bucketName = (name: ObjectsName) => bucketNameOf(place, name)
  return {
    ...place,
    tableName,
    table: (name) => arn('dynamodb', `table/${tableName(name)}`),
    bucketName,
    bucket: (name) => arn('s3', bucketName(name), ':'),
    functionName: (identity) => `${prefix}-${identity}`,
    role: (identity) => arn('iam', `role/${prefix}-${identity}`, `:${account}`),
    logGroup: (identity) => arn('logs', `log-group:/aws/lambda/${prefix}-${identity}`),
    deadLetters: (identity) => arn('sqs', `${prefix}-${identity}-failed`),
    // AWS KMS Developer Guide, kms:ViaService: the host name of the service in its region.
    serviceHost: (service) => `${service}.${region}.amazonaws.com`,
  }
}
