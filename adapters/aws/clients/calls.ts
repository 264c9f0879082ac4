// SPDX-License-Identifier: Apache-2.0

export type AwsService = 'dynamodb' | 's3' | 'kms'

/** One request to AWS. */
export interface AwsCall {
  readonly service: AwsService
  /** The IAM action that permits it, for example `dynamodb:PutItem`. */
  readonly operation: string
  /** What the ARN of what it is about ends with: `table/NAME`, `BUCKET/OBJECT`, `key/ID`. */
  readonly resource: string
  /** Condition keys of IAM that the request has: of which row (`dynamodb:LeadingKeys`), under which name (`kms:EncryptionContext:NAME`). */
  readonly context?: Readonly<Record<string, readonly string[]>>
}

/** Members of the inputs of all commands that say what they are about. */
interface Input {
  readonly TableName?: string
  readonly Bucket?: string
  readonly Key?: unknown
  readonly KeyId?: string
  readonly Item?: unknown
  readonly ExpressionAttributeValues?: Readonly<Record<string, unknown>>
  readonly EncryptionContext?: Readonly<Record<string, string>>
}

/** IAM has fewer actions than S3 has operations. */
const PERMITTED_BY: Readonly<Record<string, string>> = {
  HeadObject: 'GetObject',
  CreateMultipartUpload: 'PutObject',
  UploadPart: 'PutObject',
  CompleteMultipartUpload: 'PutObject',
}

/** What a command of the SDK asks, by its name (`PutItemCommand`) and its input. */
export function callOf(service: AwsService, command: string, input: Input): AwsCall {
  const name = command.replace(/Command$/, '')
  const context = contextOf(service, input)
  return {
    service,
    operation: `${service}:${PERMITTED_BY[name] ?? name}`,
    resource: resourceOf(service, input),
    ...(context && { context }),
  }
}

function contextOf(service: AwsService, input: Input): AwsCall['context'] {
  if (service === 'kms') {
    const bound = Object.entries(input.EncryptionContext ?? {})
    return bound.length === 0
      ? undefined
      : Object.fromEntries(bound.map(([name, value]) => [`kms:EncryptionContext:${name}`, [value]]))
  }
  if (service !== 'dynamodb') return undefined
  const partition =
    textIn(input.Key) ?? textIn(input.Item) ?? textOf(input.ExpressionAttributeValues?.[':pk'])
  return partition === undefined ? undefined : { 'dynamodb:LeadingKeys': [partition] }
}

function textIn(row: unknown): string | undefined {
  return typeof row === 'object' && row !== null ? textOf((row as { readonly pk?: unknown }).pk) : undefined
}

function textOf(attribute: unknown): string | undefined {
  return (attribute as { readonly S?: string } | undefined)?.S
}

function resourceOf(service: AwsService, { TableName, Bucket, Key, KeyId = '' }: Input): string {
  if (service === 'dynamodb') return `table/${TableName}`
  if (service === 's3') return `${Bucket}/${typeof Key === 'string' ? Key : ''}`
  return KeyId.startsWith('arn:') ? KeyId.split(':').slice(5).join(':') : `key/${KeyId}`
}
