// SPDX-License-Identifier: Apache-2.0
import type { Call } from './allows.ts'
import type { AwsNames } from './names.ts'

/** Which action IAM judges for a command of the clients; commands with the name of their action need no row. */
const ACTIONS: Readonly<Record<string, string>> = {
  'dynamodb:GetItem': 'GetItem',
  'dynamodb:Query': 'Query',
  'dynamodb:PutItem': 'PutItem',
  'dynamodb:DeleteItem': 'DeleteItem',
  'dynamodb:UpdateItem': 'UpdateItem',
  's3:GetObject': 'GetObject',
  // Amazon S3 API Reference: HEAD is judged as GET, every step of an upload but giving it up as PUT.
  's3:HeadObject': 'GetObject',
  's3:PutObject': 'PutObject',
  's3:CreateMultipartUpload': 'PutObject',
  's3:UploadPart': 'PutObject',
  's3:CompleteMultipartUpload': 'PutObject',
  's3:AbortMultipartUpload': 'AbortMultipartUpload',
  's3:DeleteObject': 'DeleteObject',
  's3:ListObjectsV2': 'ListBucket',
  'kms:Sign': 'Sign',
  'kms:GetPublicKey': 'GetPublicKey',
  'kms:Decrypt': 'Decrypt',
  'kms:Encrypt': 'Encrypt',
}
/** Reads of an object that may be absent: S3 asks for ListBucket before it says so. */
const MAY_BE_ABSENT = ['s3:GetObject', 's3:HeadObject']

/** What a client was asked to do. */
export interface SentCommand {
  readonly service: 'dynamodb' | 's3' | 'kms'
  /** Name of the command's class without `Command`, for example `PutItem`. */
  readonly command: string
  readonly input: Readonly<Record<string, unknown>>
}

/**
 * What IAM judges when a command is sent: the act itself, and the use of the data key by the store on the caller's behalf.
 * @throws RangeError for a command that no adapter should send
 */
export function callsOf(names: AwsNames, { service, command, input }: SentCommand): readonly Call[] {
  const action = ACTIONS[`${service}:${command}`]
  if (action === undefined)
    throw new RangeError(`${service} ${command} is no command that has a permission here`)
  const operation = `${service}:${action}`
  if (service === 'dynamodb') return tableCalls(names, operation, input)
  if (service === 'kms') return [keyCall(names, operation, input)]
  const object = `arn:${names.partition}:s3:::${text(input, 'Bucket')}`
  const listing = action === 'ListBucket'
  const resource = listing ? object : `${object}/${text(input, 'Key')}`
  const calls: Call[] = [{ service, operation, resource }]
  if (MAY_BE_ABSENT.includes(`s3:${command}`))
    calls.push({ service, operation: 's3:ListBucket', resource: object })
  if (action === 'GetObject' || action === 'PutObject') calls.push(viaStore(names, 's3', 'Decrypt'))
  if (action === 'PutObject') calls.push(viaStore(names, 's3', 'GenerateDataKey'))
  return calls
}

function tableCalls(names: AwsNames, operation: string, input: SentCommand['input']): readonly Call[] {
  const resource = `arn:${names.partition}:dynamodb:${names.region}:${names.account}:table/${text(input, 'TableName')}`
  const partition = partitionOf(input)
  const context = partition === null ? {} : { 'dynamodb:LeadingKeys': [partition] }
  return [{ service: 'dynamodb', operation, resource, context }, viaStore(names, 'dynamodb', 'Decrypt')]
}

/** Of an item, a key or a query on `pk`; attributes as the client that marshals nothing sends them, or as plain values. */
function partitionOf(input: SentCommand['input']): string | null {
  const row = (input['Key'] ?? input['Item']) as Readonly<Record<string, unknown>> | undefined
  if (row) return plain(row['pk'])
  const condition = input['KeyConditionExpression']
  const values = input['ExpressionAttributeValues'] as Readonly<Record<string, unknown>> | undefined
  const names = (input['ExpressionAttributeNames'] ?? {}) as Readonly<Record<string, string>>
  if (typeof condition !== 'string' || !values) return null
  for (const [, name = '', value = ''] of condition.matchAll(/([#\w]+)\s*=\s*(:\w+)/g)) {
    if ((names[name] ?? name) === 'pk') return plain(values[value])
  }
  return null
}

function plain(value: unknown): string | null {
  if (typeof value === 'string') return value
  const marshalled = (value as { readonly S?: unknown } | undefined)?.S
  return typeof marshalled === 'string' ? marshalled : null
}

function keyCall(
  { partition, region, account }: AwsNames,
  operation: string,
  input: SentCommand['input'],
): Call {
  const id = text(input, 'KeyId')
  const resource = id.startsWith('arn:') ? id : `arn:${partition}:kms:${region}:${account}:key/${id}`
  const given = (input['EncryptionContext'] ?? {}) as Readonly<Record<string, string>>
  const context = Object.fromEntries(
    Object.entries(given).map(([key, value]) => [`kms:EncryptionContext:${key}`, [value]]),
  )
  return { service: 'kms', operation, resource, context }
}

function viaStore(names: AwsNames, service: 'dynamodb' | 's3', action: string): Call {
  const context = { 'kms:ViaService': [names.serviceHost(service)] }
  return { service: 'kms', operation: `kms:${action}`, resource: names.dataKey, context }
}

function text(input: SentCommand['input'], name: string): string {
  const value = input[name]
  if (typeof value !== 'string') throw new RangeError(`a recorded command has no ${name}`)
  return value
}
