// SPDX-License-Identifier: Apache-2.0
import type { Call } from './allows.ts'
import type { AwsNames } from './names.ts'

/** What an adapter says of one request that it sends. */
export interface Recorded {
  readonly service: 'dynamodb' | 's3' | 'kms'
  /** The action that permits it, for example `dynamodb:PutItem`. */
  readonly operation: string
  /** What the ARN ends with: `table/NAME`, `BUCKET/OBJECT`, `key/ID`. */
  readonly resource: string
  /** Condition keys that the request has: `dynamodb:LeadingKeys`, `kms:EncryptionContext:NAME`. */
  readonly context?: Readonly<Record<string, readonly string[]>>
}

/**
 * What IAM judges when a request is sent: the act itself; that S3 may say that an object is not there; and the use of the data
 * key by the store on the caller's behalf (`kms:ViaService`), for tables and buckets are encrypted with it.
 */
export function callsOf(
  names: AwsNames,
  { service, operation, resource, context }: Recorded,
): readonly Call[] {
  const call = (of: string): Call => ({ service, operation, resource: of, ...(context && { context }) })
  const { partition, region, account } = names
  if (service !== 's3') {
    const own = call(`arn:${partition}:${service}:${region}:${account}:${resource}`)
    return service === 'kms' ? [own] : [own, through(names, 'dynamodb', 'kms:Decrypt')]
  }
  const [bucket = ''] = resource.split('/')
  const arn = (of: string) => `arn:${partition}:s3:::${of}`
  const reads = operation === 's3:GetObject'
  const writes = operation === 's3:PutObject'
  return [
    call(arn(resource)),
    ...(reads ? [{ service, operation: 's3:ListBucket', resource: arn(bucket) }] : []),
    // Amazon S3 User Guide, "multipart upload and permissions": parts need Decrypt beside GenerateDataKey.
    ...(reads || writes ? [through(names, 's3', 'kms:Decrypt')] : []),
    ...(writes ? [through(names, 's3', 'kms:GenerateDataKey')] : []),
  ]
}

function through(names: AwsNames, service: 'dynamodb' | 's3', operation: string): Call {
  const context = { 'kms:ViaService': [names.serviceHost(service)] }
  return { service: 'kms', operation, resource: names.dataKey, context }
}
