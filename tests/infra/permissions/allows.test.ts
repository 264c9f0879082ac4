// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { allows, unexercised, type Call } from '#infra/permissions/aws/allows.ts'
import { callsOf } from '#infra/permissions/aws/calls.ts'
import { awsNames } from '#infra/permissions/aws/names.ts'
import { policyOf, type Statement } from '#infra/permissions/aws/policy.ts'
import * as azure from '#infra/permissions/azure/allows.ts'
import { assignmentsOf } from '#infra/permissions/azure/roles.ts'
import { permissionsDocument } from '#infra/permissions/document.ts'
import { identitiesOf, type Identity } from '#infra/permissions/identities.ts'

const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/'
const names = awsNames({
  prefix: 'ampere-test',
  partition: 'aws',
  region: 'eu-central-1',
  account: '111122223333',
  dataKey: `${KEY}data`,
  wrappingKey: `${KEY}wrapping`,
  signingKey: (name) => `${KEY}${name}`,
  stream: (name) => `arn:aws:dynamodb:eu-central-1:111122223333:table/ampere-test-${name}/stream/1`,
})
const identityOf = (name: string): Identity =>
  identitiesOf('both').find((identity) => identity.name === name) ?? {
    name,
    needs: { tables: {}, objects: {}, keys: {} },
    wokenBy: null,
  }
const policy = (name: string) => policyOf(identityOf(name), names)
const put = (table: string) =>
  callsOf(names, {
    service: 'dynamodb',
    operation: 'dynamodb:PutItem',
    resource: `table/ampere-test-${table}`,
  })
const readKey = (pk: string) =>
  callsOf(names, {
    service: 'dynamodb',
    operation: 'dynamodb:GetItem',
    resource: 'table/ampere-test-keys',
    context: { 'dynamodb:LeadingKeys': [pk] },
  })
const unwrap = (context: Record<string, string>) =>
  callsOf(names, {
    service: 'kms',
    operation: 'kms:Decrypt',
    resource: 'key/wrapping',
    context: Object.fromEntries(
      Object.entries(context).map(([key, value]) => [`kms:EncryptionContext:${key}`, [value]]),
    ),
  })
const object = (operation: string, bucket: string) =>
  callsOf(names, { service: 's3', operation, resource: `${bucket}/a/b` })
const all = (statements: readonly Statement[], calls: readonly Call[]) =>
  calls.every((call) => allows(statements, call))

describe('what a policy allows', () => {
  it('is an insert where a role appends, and none where it reads', () => {
    expect(all(policy('registrar'), put('registry'))).toBe(true)
    expect(all(policy('reader'), put('registry'))).toBe(false)
    expect(all(policy('registrar'), put('blocks'))).toBe(false)
  })

  it('is the row of its own software key, and not that of another', () => {
    expect(all(policy('witness'), readKey('witness-quantum'))).toBe(true)
    expect(all(policy('witness'), readKey('log'))).toBe(false)
  })

  it('is not a read that names no row', () => {
    const [call] = readKey('witness')
    expect(call && allows(policy('witness'), { ...call, context: {} })).toBe(false)
  })

  it('is to unwrap a seed under its own name, not under another, none, or two', () => {
    expect(all(policy('witness'), unwrap({ 'ampere-key': 'witness' }))).toBe(true)
    expect(all(policy('witness'), unwrap({ 'ampere-key': 'log' }))).toBe(false)
    expect(all(policy('witness'), unwrap({ key: 'witness' }))).toBe(false)
    expect(all(policy('witness'), unwrap({}))).toBe(false)
    const two: Call = {
      service: 'kms',
      operation: 'kms:Decrypt',
      resource: names.wrappingKey,
      context: { 'kms:EncryptionContext:ampere-key': ['witness', 'log'] },
    }
    expect(allows(policy('witness'), two)).toBe(false)
  })

  it('is not the data key by itself, only through a store', () => {
    const direct: Call = { service: 'kms', operation: 'kms:Decrypt', resource: names.dataKey }
    const through = { ...direct, context: { 'kms:ViaService': ['dynamodb.eu-central-1.amazonaws.com'] } }
    expect(allows(policy('reader'), direct)).toBe(false)
    expect(allows(policy('reader'), through)).toBe(true)
  })

  it('is to store an object where a role stores, in that bucket alone, and to fetch it where it fetches', () => {
    const bucket = 'ampere-test-entries-111122223333-eu-central-1'
    for (const operation of ['s3:PutObject', 's3:AbortMultipartUpload']) {
      expect(all(policy('writer'), object(operation, bucket))).toBe(true)
      expect(all(policy('reader'), object(operation, bucket))).toBe(false)
      expect(all(policy('writer'), object(operation, `${bucket}x`))).toBe(false)
    }
    expect(all(policy('reader'), object('s3:GetObject', bucket))).toBe(true)
    expect(all(policy('monitor'), object('s3:GetObject', bucket))).toBe(false)
  })

  it('does not reach a bucket or table whose name only begins alike', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9-]{1,8}$/), (more) => {
        const [fetched] = object('s3:GetObject', `${names.bucketName('entries')}${more}`)
        const [row] = put(`registry${more}`)
        return !!fetched && !!row && !allows(policy('reader'), fetched) && !allows(policy('registrar'), row)
      }),
    )
  })

  it('is judged by conditions that are known, and by no others', () => {
    const unknown: Statement = {
      Sid: 'X',
      Effect: 'Allow',
      Action: ['kms:Sign'],
      Resource: ['k'],
      Condition: { StringLike: { a: 'b' } },
    }
    const call: Call = { service: 'kms', operation: 'kms:Sign', resource: 'k' }
    expect(() => allows([unknown], call)).toThrow(/StringLike is not known/)
    expect(() => allows([], { ...call, service: 's3' })).toThrow(RangeError)
  })
})

describe('what no call used', () => {
  it('is everything where nothing was called, each key by itself, and nothing where everything was', () => {
    const statements = policy('witness')
    const before = unexercised(statements, [])
    expect(before.filter(({ sid }) => sid === 'SeedsUnwrap').map(({ when }) => when)).toEqual([
      'kms:EncryptionContext:ampere-key = witness',
      'kms:EncryptionContext:ampere-key = witness-quantum',
    ])
    const rows = [...readKey('witness'), ...unwrap({ 'ampere-key': 'witness' })]
    const after = unexercised(statements, rows)
    expect(after.filter(({ sid }) => sid === 'SoftwareKeysRead').map(({ when }) => when)).toEqual([
      'dynamodb:LeadingKeys = witness-quantum',
    ])
    expect(after.map(({ sid }) => sid)).not.toContain('DataKeyDecrypt')
    const everything = before.map(({ action, resource, when }): Call => ({
      service: action.split(':')[0] ?? '',
      operation: action,
      resource: resource.replace(/\*$/, 'one'),
      context: Object.fromEntries(
        when === '' ? [] : when.split('; ').map((one) => [one.split(' = ')[0], [one.split(' = ')[1] ?? '']]),
      ),
    }))
    expect(unexercised(statements, everything)).toEqual([])
  })
})

describe('what assignments on Azure allow', () => {
  const assignments = assignmentsOf(identityOf('registrar'))
  const CONTAINERS = 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers'
  const registry = { service: 'cosmos', resource: 'dbs/ampere/colls/registry' } as const

  it('is to create an item where a role appends, and not to replace or remove one', () => {
    expect(azure.allows(assignments, { ...registry, operation: `${CONTAINERS}/items/create` })).toBe(true)
    expect(azure.allows(assignments, { ...registry, operation: `${CONTAINERS}/items/replace` })).toBe(false)
    expect(azure.allows(assignments, { ...registry, operation: `${CONTAINERS}/items/delete` })).toBe(false)
    const other = { ...registry, resource: 'dbs/ampere/colls/blocks' }
    expect(azure.allows(assignments, { ...other, operation: `${CONTAINERS}/items/create` })).toBe(false)
  })

  it('is to ask the account where it is, for whoever has a role in it', () => {
    const call = {
      service: 'cosmos',
      operation: 'Microsoft.DocumentDB/databaseAccounts/readMetadata',
      resource: '',
    } as const
    expect(azure.allows(assignments, call)).toBe(true)
    expect(azure.allows([], call)).toBe(false)
    expect(azure.allows(assignments, { ...call, resource: 'dbs/ampere/colls/blocks' })).toBe(false)
  })

  it('leaves over what nobody used', () => {
    const used = { ...registry, operation: `${CONTAINERS}/items/read` }
    const left = azure
      .unexercised(assignments, [used])
      .filter(({ resource }) => resource === registry.resource)
      .map(({ operation }) => operation.split('/').slice(-1)[0])
    expect(left).toEqual(['readMetadata', 'executeQuery', 'create'])
  })
})

describe('docs/PERMISSIONS.md', () => {
  it('is what the needs of the roles give; else run npm run docs', () => {
    const written = readFileSync(new URL('../../../docs/PERMISSIONS.md', import.meta.url), 'utf8')
    expect(written).toBe(permissionsDocument())
  })
})
