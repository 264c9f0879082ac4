// SPDX-License-Identifier: Apache-2.0

export type AwsService = 'dynamodb' | 's3' | 'kms'

/** One request to AWS. */
export interface AwsCall {
  readonly service: AwsService
  /** The IAM action that permits it, for example `dynamodb:PutItem`. */
  readonly operation: string
  /** What the ARN of what it is about ends with: `table/NAME`, `BUCKET/OBJECT`, `key/ID`. */
  readonly resource: string
}

/** Members of the inputs of all commands that say what they are about. */
interface Input {
  readonly TableName?: string
  readonly Bucket?: string
  readonly Key?: unknown
  readonly KeyId?: string
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
  return {
    service,
    operation: `${service}:${PERMITTED_BY[name] ?? name}`,
    resource: resourceOf(service, input),
  }
}

function resourceOf(service: AwsService, { TableName, Bucket, Key, KeyId = '' }: Input): string {
  if (service === 'dynamodb') return `table/${TableName}`
  if (service === 's3') return `${Bucket}/${typeof Key === 'string' ? Key : ''}`
  return KeyId.startsWith('arn:') ? KeyId.split(':').slice(5).join(':') : `key/${KeyId}`
}
