// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { readdirSync } from 'node:fs'
import type { KeyName } from '#core/ports/needs.ts'
import { awsNames } from '#infra/permissions/aws/names.ts'
import { policyOf, setUpPolicy, type Statement } from '#infra/permissions/aws/policy.ts'
import {
  actionsOf,
  assignmentsOf,
  AZURE_ROLES,
  roleDefinitions,
  setUpAssignments,
} from '#infra/permissions/azure/roles.ts'
import { grantsOf, grantsOfKind } from '#infra/permissions/grants.ts'
import { identitiesOf, type Identity } from '#infra/permissions/identities.ts'

const names = awsNames({
  prefix: 'ampere-test',
  partition: 'aws',
  region: 'eu-central-1',
  account: '111122223333',
  dataKey: 'arn:aws:kms:eu-central-1:111122223333:key/data',
  wrappingKey: 'arn:aws:kms:eu-central-1:111122223333:key/wrapping',
  signingKey: (name) => `arn:aws:kms:eu-central-1:111122223333:key/${name}`,
  stream: (name) => `arn:aws:dynamodb:eu-central-1:111122223333:table/ampere-test-${name}/stream/1`,
})
const identities = identitiesOf('both')
const each = identities.map((identity) => [identity.name, identity] as const)
const named = (name: string): Identity => {
  const found = identities.find((identity) => identity.name === name)
  if (!found) throw new Error(`no identity ${name}`)
  return found
}
const actionsOn = (policy: readonly Statement[], resource: string) =>
  policy.filter(({ Resource }) => Resource.includes(resource)).flatMap(({ Action }) => Action)

describe('the identities', () => {
  it('are exactly the roles that there are', () => {
    const folder = new URL('../../../functions/', import.meta.url)
    const roles = readdirSync(folder, { withFileTypes: true })
      .filter(
        (entry) => entry.isDirectory() && readdirSync(new URL(`${entry.name}/`, folder)).includes('role.ts'),
      )
      .map(({ name }) => name)
    expect(identities.map(({ name }) => name).toSorted()).toEqual(roles.toSorted())
  })

  it.each(each)('%s has a grant for each of its needs and no other', (_, identity) => {
    const grants = grantsOf(identity)
    const { tables, objects, keys, uploads } = identity.needs
    const of = (kind: 'table' | 'objects' | 'key') =>
      Object.fromEntries(grantsOfKind(grants, kind).map(({ name, access }) => [name, access]))
    expect([of('table'), of('objects'), of('key')]).toEqual([tables, objects, keys])
    expect(grantsOfKind(grants, 'changes').map(({ name }) => name)).toEqual(
      identity.wokenBy === null ? [] : [identity.wokenBy.table],
    )
    expect(grantsOfKind(grants, 'signs').map(({ name }) => name)).toEqual(uploads ? ['uploads'] : [])
    const needed = [tables, objects, keys].flatMap((one) => Object.keys(one)).length
    expect(grants).toHaveLength(needed + (identity.wokenBy ? 1 : 0) + (uploads ? 1 : 0))
  })
})

describe('a need to sign uploads', () => {
  const needs = { tables: {}, objects: {}, keys: {}, uploads: 'offer' } as const
  const SIGNS = { kind: 'signs', name: 'uploads' }
  const on = (more: object) =>
    grantsOf({ needs: { ...needs, ...more }, wokenBy: null }).map((grant) => ({ ...grant }))

  it('is a need to store what is uploaded, for a signature lets nobody do what its signer may not', () => {
    expect(on({})).toEqual([{ kind: 'objects', name: 'uploads', access: 'store' }, SIGNS])
  })

  it('narrows no wider one', () => {
    expect(on({ objects: { uploads: 'shred' } })).toEqual([
      { kind: 'objects', name: 'uploads', access: 'shred' },
      SIGNS,
    ])
    expect(grantsOf(named('writer'))).toContainEqual({ kind: 'objects', name: 'uploads', access: 'shred' })
  })
})

describe('a policy of IAM', () => {
  it.each(each)('of %s names resources of its deployment only, never all of a kind', (_, identity) => {
    for (const { Resource, Action, Effect } of policyOf(identity, names)) {
      expect(Effect).toBe('Allow')
      for (const action of Action) expect(action).toMatch(/^[a-z0-9]+:[A-Za-z]+$/)
      for (const resource of Resource) {
        expect(resource).toMatch(
          /^arn:aws:(dynamodb|kms|sqs|logs):eu-central-1:111122223333:|^arn:aws:s3:::ampere-test-/,
        )
        // All objects of one bucket, and all log streams of one function.
        expect(
          resource.replace(/(?<=^arn:aws:s3:::[a-z0-9-]+\/)\*$|(?<=log-group:[a-z0-9/-]+:)\*$/, ''),
        ).not.toContain('*')
      }
    }
  })

  it.each(each)('of %s has on tables what its needs give and nothing else', (_, identity) => {
    const policy = policyOf(identity, names)
    const grants = grantsOfKind(grantsOf(identity), 'table')
    const software = policy.some(({ Sid }) => Sid === 'SoftwareKeysRead')
    const touched = policy.flatMap(({ Action, Resource }) =>
      Action.every((action) => action.startsWith('dynamodb:')) ? Resource : [],
    )
    expect(touched.filter((resource) => !resource.includes('/stream/')).toSorted()).toEqual(
      [...grants.map(({ name }) => names.table(name)), ...(software ? [names.table('keys')] : [])].toSorted(),
    )
    for (const { name, access } of grants) {
      const actions = actionsOn(policy, names.table(name))
      expect(actions.includes('dynamodb:PutItem')).toBe(access !== 'read')
      expect(actions.includes('dynamodb:DeleteItem')).toBe(access === 'write')
      expect(actions.filter((action) => /Update|Batch|Transact|Scan|PartiQL/.test(action))).toEqual([])
    }
  })

  it.each(each)(
    'of %s lets objects be removed only where it shreds, and stored only where it stores',
    (_, identity) => {
      const policy = policyOf(identity, names)
      for (const { name, access } of grantsOfKind(grantsOf(identity), 'objects')) {
        const actions = actionsOn(policy, `${names.bucket(name)}/*`)
        expect(actions.includes('s3:GetObject')).toBe(true)
        expect(actions.includes('s3:PutObject')).toBe(access !== 'fetch')
        expect(actions.includes('s3:DeleteObject')).toBe(access === 'shred')
      }
    },
  )

  it.each(each)(
    'of %s uses the data key through stores and the wrapping key under the names of its keys only',
    (_, identity) => {
      const keys = grantsOfKind(grantsOf(identity), 'key').map(({ name }) => name)
      for (const { Action, Resource, Condition } of policyOf(identity, names)) {
        const direct = Resource.includes(names.dataKey)
        if (direct) expect(Object.keys(Condition?.['StringEquals'] ?? {})).toEqual(['kms:ViaService'])
        if (!Resource.includes(names.wrappingKey)) continue
        expect(Action).toEqual(['kms:Decrypt'])
        const allowed = Condition?.['StringEquals']?.[
          'kms:EncryptionContext:ampere-key'
        ] as readonly KeyName[]
        expect(allowed.every((name) => keys.includes(name))).toBe(true)
        expect(allowed.length).toBeGreaterThan(0)
      }
    },
  )

  it.each(each)('of %s makes no key', (_, identity) => {
    const policy = policyOf(identity, names)
    const actions = policy.flatMap(({ Action }) => Action)
    expect(actions.filter((action) => /^kms:(Encrypt|Create|Put|Schedule)/.test(action))).toEqual([])
    expect(actionsOn(policy, names.table('keys')).filter((action) => action !== 'dynamodb:GetItem')).toEqual(
      [],
    )
  })

  it('is the same each time and fits into a role', () => {
    for (const identity of identities) {
      const policy = JSON.stringify(policyOf(identity, names))
      expect(JSON.stringify(policyOf(identity, names))).toBe(policy)
      const { tables, objects, keys } = identity.needs
      const turned = (needed: object) => Object.fromEntries(Object.entries(needed).toReversed())
      const needs = { tables: turned(tables), objects: turned(objects), keys: turned(keys) }
      expect(JSON.stringify(policyOf({ ...identity, needs }, names))).toBe(policy)
      // IAM quotas: 10,240 characters of inline policies in a role.
      expect(policy.length).toBeLessThan(10_240)
    }
  })

  it('gives a key to nobody who only copies, answers from copies, removes or audits', () => {
    for (const name of ['monitor', 'keeper', 'auditor', 'registrar', 'discovery', 'sweeper']) {
      const policy = policyOf(named(name), names)
      const kms = policy.filter(({ Action }) => Action.some((action) => action.startsWith('kms:')))
      expect(kms.flatMap(({ Resource }) => Resource)).toEqual(kms.map(() => names.dataKey))
      expect(policy.map(({ Sid }) => Sid)).not.toContain('SoftwareKeysRead')
    }
  })

  it('signs in the key service with what it can sign with, and with seeds where it cannot', () => {
    const sids = (name: string, native?: Parameters<typeof policyOf>[2]) =>
      policyOf(named(name), names, native).map(({ Sid }) => Sid)
    expect(sids('bridge')).toEqual(expect.arrayContaining(['KeysSign', 'SeedsUnwrap']))
    expect(sids('bridge')).not.toContain('SoftwareKeysRead')
    expect(sids('witness')).toEqual(expect.arrayContaining(['SoftwareKeysRead', 'SeedsUnwrap']))
    expect(sids('witness')).not.toContain('KeysSign')
    const all = sids('witness', ['ES256', 'Ed25519', 'ML-DSA-44'])
    expect(all).toContain('KeysSign')
    expect(all).not.toContain('SoftwareKeysRead')
    // What signs each head would cost a request each time.
    expect(sids('reader', ['ES256', 'Ed25519', 'ML-DSA-44'])).toContain('SoftwareKeysRead')
  })

  it('lets the sequencer and the eraser alone be woken by a table', () => {
    const woken = identities.filter((identity) =>
      policyOf(identity, names).some(({ Sid }) => Sid === 'ChangesRead'),
    )
    expect(woken.map(({ name }) => name)).toEqual(['sequencer', 'eraser'])
  })

  it('of whoever sets up adds rows of software keys, wraps their seeds, begins the registry, and has no other store', () => {
    const policy = setUpPolicy(identities, names)
    const conditionOf = (sid: string) => policy.find(({ Sid }) => Sid === sid)?.Condition
    const keys = ['head', 'log', 'log-quantum', 'witness', 'witness-quantum']
    expect(actionsOn(policy, names.table('keys'))).toEqual(['dynamodb:GetItem', 'dynamodb:PutItem'])
    expect(conditionOf('SoftwareKeysMake')?.['ForAllValues:StringEquals']).toEqual({
      'dynamodb:LeadingKeys': keys,
    })
    expect(conditionOf('SeedsWrap')).toEqual({
      StringEquals: { 'kms:EncryptionContext:ampere-key': [...keys, 'sealing'].toSorted() },
    })
    const stores = policy.flatMap(({ Resource }) => Resource).filter((one) => /:(?:s3|dynamodb):/.test(one))
    expect(stores.toSorted()).toEqual([names.table('keys'), names.table('registry')])
    expect(actionsOn(policy, names.table('registry'))).not.toContain('dynamodb:DeleteItem')
  })
})

describe('the assignments on Azure', () => {
  it.each(each)('of %s are each for one container or one key, but to sign uploads', (_, identity) => {
    const assignments = assignmentsOf(identity)
    const onAccount = assignments.filter(({ scope }) => scope === '').map(({ role }) => role)
    expect(onAccount).toEqual(identity.needs.uploads ? ['uploads-sign'] : [])
    expect(actionsOf('uploads-sign')).toHaveLength(1)
    for (const { role, scope } of assignments) {
      if (scope === '') continue
      const { service } = AZURE_ROLES[role]
      const form = {
        cosmos: /^dbs\/ampere\/colls\/[a-z-]+$/,
        blob: /^blobServices\/default\/containers\/[a-z]+$/,
        vault: /^keys\/[a-z-]+$/,
      }
      expect(scope).toMatch(form[service])
    }
    const scopes = assignments.map(({ role, scope }) => `${role} ${scope}`)
    const seeds = 'table-read dbs/ampere/colls/keys'
    expect(scopes.filter((one) => one !== seeds)).toEqual([...new Set(scopes)].filter((one) => one !== seeds))
  })

  it.each(each)('of %s have what its needs give and nothing else', (_, identity) => {
    const { tables, objects } = identity.needs
    const own = new Set([
      ...Object.keys(tables).map((name) => `dbs/ampere/colls/${name}`),
      ...Object.keys(objects).map((name) => `blobServices/default/containers/${name}`),
    ])
    for (const { role, scope } of assignmentsOf(identity)) {
      const actions = actionsOf(role)
      if (scope === '') continue
      if (scope === 'dbs/ampere/colls/leases') expect(identity.wokenBy).not.toBeNull()
      else if (scope === 'dbs/ampere/colls/keys') expect(role).toBe('table-read')
      else if (!scope.startsWith('keys/')) expect([...own]).toContain(scope)
      if (role === 'table-append')
        expect(actions.some((one) => /replace|delete|upsert/.test(one))).toBe(false)
      if (role === 'objects-store') expect(actions.some((one) => one.includes('delete'))).toBe(false)
    }
  })

  it('give no vault key to the monitor, the keeper or the auditor, and none that wraps to any role', () => {
    for (const name of ['monitor', 'keeper', 'auditor'])
      expect(assignmentsOf(named(name)).filter(({ scope }) => scope.startsWith('keys/'))).toEqual([])
    for (const identity of identities)
      expect(assignmentsOf(identity).map(({ role }) => role)).not.toContain('key-wrap')
    expect(setUpAssignments(identities).map(({ scope }) => scope)).toContain('keys/wrap-head')
  })

  it('let whoever sets a home up begin its registry, and change no other table', () => {
    const tables = (of: readonly Identity[]) =>
      setUpAssignments(of).filter(({ scope }) => scope.startsWith('dbs/'))
    expect(tables(identitiesOf('home'))).toEqual([
      { role: 'table-append', scope: 'dbs/ampere/colls/registry' },
      { role: 'table-append', scope: 'dbs/ampere/colls/keys' },
    ])
    expect(tables(identitiesOf('bridge')).map(({ scope }) => scope)).not.toContain(
      'dbs/ampere/colls/registry',
    )
  })

  it('use roles without wildcards, each with sorted actions of one service', () => {
    const used = roleDefinitions(identities.flatMap((identity) => assignmentsOf(identity)))
    expect(used.length).toBeGreaterThan(5)
    for (const { dataActions, actions = [], service } of used) {
      expect([...actions, ...dataActions].join()).not.toContain('*')
      const provider = {
        cosmos: 'Microsoft.DocumentDB/',
        blob: 'Microsoft.Storage/',
        vault: 'Microsoft.KeyVault/',
      }
      expect(dataActions.every((action) => action.startsWith(provider[service]))).toBe(true)
    }
  })
})
