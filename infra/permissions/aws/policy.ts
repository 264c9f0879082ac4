// SPDX-License-Identifier: Apache-2.0
import type { KeyName } from '#core/ports/needs.ts'
import type { SignatureAlgorithm } from '#core/ports/keys.ts'
import type { ObjectAccess } from '#core/ports/objects.ts'
import type { TableAccess } from '#core/ports/table.ts'
import { custodyOf, grantsOf, grantsOfKind, type Custody, type Grant } from '../grants.ts'
import type { Identity } from '../identities.ts'
import { KEY_CONTEXT, type AwsNames } from './names.ts'

/** Of a condition: operator, context key, values of which one must be there. */
export type Condition = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>

/** A statement of an IAM policy that allows. There are no others: what is not allowed is denied. */
export interface Statement {
  readonly Sid: string
  readonly Effect: 'Allow'
  readonly Action: readonly string[]
  readonly Resource: readonly string[]
  readonly Condition?: Condition
}

/** What the key service signs with here unless a deployment says more: P-256 is in every region. */
export const AWS_NATIVE: readonly SignatureAlgorithm[] = ['ES256']

// Inserts and swaps are conditional puts, removals conditional deletes: nothing updates in place, in batches or transactions.
export const TABLE_ACTIONS: Readonly<Record<TableAccess, readonly string[]>> = {
  read: ['dynamodb:GetItem', 'dynamodb:Query'],
  append: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'],
  write: ['dynamodb:DeleteItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'],
}
const STORE = ['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject']
export const OBJECT_ACTIONS: Readonly<Record<ObjectAccess, readonly string[]>> = {
  fetch: ['s3:GetObject'],
  store: STORE,
  shred: [STORE[0] ?? '', 's3:DeleteObject', ...STORE.slice(1)],
}
export const KEY_ACTIONS: Readonly<Record<Custody, readonly string[]>> = {
  service: ['kms:GetPublicKey', 'kms:Sign'],
  software: ['dynamodb:GetItem', 'kms:Decrypt'],
  unwraps: ['kms:Decrypt'],
}
export const STREAM_ACTIONS = [
  'dynamodb:DescribeStream',
  'dynamodb:GetRecords',
  'dynamodb:GetShardIterator',
  'dynamodb:ListStreams',
]

/**
 * The policy of an identity's role: one statement for each kind of thing and use of it, in a fixed order. What encrypts
 * stores is used through them only, and each software key through its own row and its own context.
 */
export function policyOf(
  identity: Identity,
  names: AwsNames,
  native: readonly SignatureAlgorithm[] = AWS_NATIVE,
): readonly Statement[] {
  return [...moverPolicy(identity, names, native), ...hostStatements(identity, grantsOf(identity), names)]
}

/** The policy of whoever migrates a home, or backs it up: what it needs, and nothing of a function's host. */
export function moverPolicy(
  identity: Identity,
  names: AwsNames,
  native: readonly SignatureAlgorithm[] = AWS_NATIVE,
): readonly Statement[] {
  const grants = grantsOf(identity)
  return [
    ...tableStatements(grants, names),
    ...objectStatements(grants, names),
    ...keyStatements(keysIn(grants, native), names),
    ...dataKeyStatements(grants, native, names),
  ]
}

/**
 * The policy of whoever sets a deployment up: it makes the software keys of these identities, and where there is a registry begins it.
 */
export function setUpPolicy(
  identities: readonly Identity[],
  names: AwsNames,
  native: readonly SignatureAlgorithm[] = AWS_NATIVE,
): readonly Statement[] {
  const { service, software, unwraps } = keysIn(identities.flatMap(grantsOf), native)
  const rows = statement('SoftwareKeysMake', ['dynamodb:GetItem', 'dynamodb:PutItem'], [names.table('keys')])
  const wraps = statement('SeedsWrap', ['kms:Decrypt', 'kms:Encrypt'], [names.wrappingKey])
  const stores = through(['dynamodb'], names)
  const begins = identities.some(({ needs }) => needs.tables.registry === 'append')
  return [
    ...some('RegistryBegin', TABLE_ACTIONS.append, begins ? [names.table('registry')] : []),
    ...(software.length > 0 ? [{ ...rows, Condition: ofRows(software) }] : []),
    ...(software.length + unwraps.length > 0
      ? [{ ...wraps, Condition: ofContext([...software, ...unwraps].toSorted()) }]
      : []),
    ...(service.length > 0
      ? [statement('PublicKeysRead', ['kms:GetPublicKey'], service.map(names.signingKey))]
      : []),
    ...(begins || software.length > 0
      ? [{ ...statement('DataKeyDecrypt', ['kms:Decrypt'], [names.dataKey]), Condition: stores }]
      : []),
  ]
}

function tableStatements(grants: readonly Grant[], names: AwsNames): readonly Statement[] {
  const tables = grantsOfKind(grants, 'table')
  return (['read', 'append', 'write'] as const).flatMap((access) => {
    const of = tables.filter((grant) => grant.access === access).map(({ name }) => names.table(name))
    return some(`Tables${capital(access)}`, TABLE_ACTIONS[access], of)
  })
}

function objectStatements(grants: readonly Grant[], names: AwsNames): readonly Statement[] {
  const stores = grantsOfKind(grants, 'objects')
  const uses = (['fetch', 'store', 'shred'] as const).flatMap((access) => {
    const of = stores.filter((grant) => grant.access === access).map(({ name }) => `${names.bucket(name)}/*`)
    return some(`Objects${capital(access)}`, OBJECT_ACTIONS[access], of)
  })
  // Without it S3 answers 403 for an object that is not there, and nobody could tell that from a wrong policy.
  const known = stores.map(({ name }) => names.bucket(name))
  return [...uses, ...some('ObjectsKnown', ['s3:ListBucket'], known)]
}

type Keys = Readonly<Record<Custody, readonly KeyName[]>>

function keysIn(grants: readonly Grant[], native: readonly SignatureAlgorithm[]): Keys {
  const keys = grantsOfKind(grants, 'key')
  const held = (custody: Custody) => {
    const of = keys.filter(({ name, access }) => custodyOf(name, access, native) === custody)
    return [...new Set(of.map(({ name }) => name))].toSorted()
  }
  return { service: held('service'), software: held('software'), unwraps: held('unwraps') }
}

function keyStatements({ service, software, unwraps }: Keys, names: AwsNames): readonly Statement[] {
  const rows = some(
    'SoftwareKeysRead',
    ['dynamodb:GetItem'],
    software.length > 0 ? [names.table('keys')] : [],
  )
  const opened = [...software, ...unwraps].toSorted()
  const seeds = some('SeedsUnwrap', ['kms:Decrypt'], opened.length > 0 ? [names.wrappingKey] : [])
  return [
    ...some('KeysSign', KEY_ACTIONS.service, service.map(names.signingKey)),
    ...rows.map((each) => ({ ...each, Condition: ofRows(software) })),
    ...seeds.map((each) => ({ ...each, Condition: ofContext(opened) })),
  ]
}

/** What encrypts tables and buckets: whoever reads has it decrypt, and whoever stores objects has it make data keys. */
function dataKeyStatements(
  grants: readonly Grant[],
  native: readonly SignatureAlgorithm[],
  names: AwsNames,
): readonly Statement[] {
  const has = (kind: Grant['kind']) => grants.some((grant) => grant.kind === kind)
  const tables = has('table') || has('changes') || keysIn(grants, native).software.length > 0
  const stores = grantsOfKind(grants, 'objects')
  const services = [...(tables ? ['dynamodb' as const] : []), ...(stores.length > 0 ? ['s3' as const] : [])]
  const decrypts = some('DataKeyDecrypt', ['kms:Decrypt'], services.length > 0 ? [names.dataKey] : [])
  const makes = stores.some(({ access }) => access !== 'fetch')
  const generates = some('DataKeyGenerate', ['kms:GenerateDataKey'], makes ? [names.dataKey] : [])
  return [
    ...decrypts.map((each) => ({ ...each, Condition: through(services, names) })),
    ...generates.map((each) => ({ ...each, Condition: through(['s3'], names) })),
  ]
}

/** What the host needs: its own log, and where it is woken by a table, that table's stream and its own dead letters. */
function hostStatements({ name }: Identity, grants: readonly Grant[], names: AwsNames): readonly Statement[] {
  const woken = grantsOfKind(grants, 'changes')
  return [
    ...some(
      'ChangesRead',
      STREAM_ACTIONS,
      woken.map((grant) => names.stream(grant.name)),
    ),
    ...some('FailuresTell', ['sqs:SendMessage'], woken.length > 0 ? [names.deadLetters(name)] : []),
    // A log stream has a name that Lambda chooses, below the group of this function.
    statement('OwnLog', ['logs:CreateLogStream', 'logs:PutLogEvents'], [`${names.logGroup(name)}:*`]),
  ]
}

/** ForAllValues is true where a request names no row at all, which Null rules out. */
function ofRows(keys: readonly KeyName[]): Condition {
  return {
    'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': keys },
    Null: { 'dynamodb:LeadingKeys': 'false' },
  }
}

function ofContext(keys: readonly KeyName[]): Condition {
  return { StringEquals: { [`kms:EncryptionContext:${KEY_CONTEXT}`]: keys } }
}

function through(services: readonly ('dynamodb' | 's3')[], names: AwsNames): Condition {
  return { StringEquals: { 'kms:ViaService': services.map(names.serviceHost) } }
}

function some(sid: string, actions: readonly string[], resources: readonly string[]): readonly Statement[] {
  return resources.length > 0 ? [statement(sid, actions, resources)] : []
}

function statement(Sid: string, Action: readonly string[], Resource: readonly string[]): Statement {
  return { Sid, Effect: 'Allow', Action, Resource: [...new Set(Resource)].toSorted() }
}

function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1)
}
