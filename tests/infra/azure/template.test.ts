// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { HOME_OPERATIONS } from '#functions/roles.ts'
import { checkNaming, type AzureNaming } from '#adapters/azure/clients/naming.ts'
import { frontOperations } from '#infra/azure/front.ts'
import { filledIn, type Resource } from '#infra/azure/references.ts'
import { azureTemplateOf, DEFAULTS } from '#infra/azure/template.ts'
import { assignmentsOf, AZURE_ROLES, roleDefinitions } from '#infra/permissions/azure/roles.ts'
import { identitiesOf } from '#infra/permissions/identities.ts'
import { roleFor } from '#tests/functions/host/apart.ts'
import { deployed } from './arm.ts'

const IDENTITIES = identitiesOf('home')

const PRINCIPAL = '00000000-0000-0000-0000-000000000001'
const template = (parameters: object = {}) => azureTemplateOf('test', { ...DEFAULTS, ...parameters })
const { resources } = template()
const of = (type: string, from: readonly Resource[] = resources) => from.filter((one) => one.type === type)
/** The properties of a resource, for tests to look into. */
const properties = ({ properties: found }: Resource) => found as Readonly<Record<string, unknown>>
const lastName = ({ name }: Resource) => /([a-z-]+)'?\)?\]?$/.exec(name)?.[1] ?? ''
const apps = of('Microsoft.Web/sites')
const settingsOf = (app: Resource) => {
  const { siteConfig } = properties(app) as {
    siteConfig: { appSettings: { name: string; value: string }[] }
  }
  return Object.fromEntries(siteConfig.appSettings.map(({ name, value }) => [name, value]))
}
const roleOf = ({ name }: Resource) => /ampere-test-([a-z]+)-/.exec(name)?.[1] ?? ''

describe('the template of a home on Azure', () => {
  it('names nothing twice, in names that Azure takes, and refers to nothing that is not in it', () => {
    const given = { alarmEmail: 'a@b.example', budget: 10, setUpPrincipal: PRINCIPAL }
    // What is longest in a stage.
    const made = deployed(azureTemplateOf('a-long-stage-123', { ...DEFAULTS, ...given }).resources)
    expect(made.length).toBeLessThan(800)
    const ids = new Set(made.map(({ id }) => id))
    const needed = made.flatMap(({ dependsOn = [] }) => dependsOn)
    expect(needed.length).toBeGreaterThan(100)
    expect(needed.filter((id) => !ids.has(id))).toEqual([])
    // Resource naming rules: Azure's own table.
    const rules = {
      'Microsoft.Storage/storageAccounts': /^[a-z0-9]{3,24}$/,
      'Microsoft.KeyVault/vaults': /^[a-z][a-z0-9-]{1,22}[a-z0-9]$/,
      'Microsoft.DocumentDB/databaseAccounts': /^[a-z0-9][a-z0-9-]{1,42}[a-z0-9]$/,
      'Microsoft.Web/sites': /^[a-z0-9][a-z0-9-]{0,58}[a-z0-9]$/,
      'Microsoft.ApiManagement/service': /^[a-z][a-z0-9-]{0,48}[a-z0-9]$/,
    }
    for (const [type, rule] of Object.entries(rules))
      for (const { name } of of(type, made)) expect(name).toMatch(rule)
  })

  it('has one app for each role, each with its own identity and plan', () => {
    expect(apps.map(roleOf).toSorted()).toEqual(IDENTITIES.map(({ name }) => name).toSorted())
    const identities = apps.map(
      ({ identity }) => identity as { type: string; userAssignedIdentities: object },
    )
    expect(new Set(identities.map(({ type }) => type))).toEqual(new Set(['UserAssigned']))
    const ids = identities.map(({ userAssignedIdentities }) => Object.keys(userAssignedIdentities))
    expect(ids.every((each) => each.length === 1)).toBe(true)
    expect(new Set(ids.flat()).size).toBe(apps.length)
    const plans = apps.map((app) => properties(app)['serverFarmId'])
    expect(new Set(plans).size).toBe(apps.length)
  })

  it('lets nobody in without TLS 1.2, an identity, or from the public', () => {
    for (const app of apps) {
      expect(properties(app)).toMatchObject({
        httpsOnly: true,
        siteConfig: { minTlsVersion: '1.2', scmMinTlsVersion: '1.2', ftpsState: 'Disabled' },
        functionAppConfig: { deployment: { storage: { authentication: { type: 'UserAssignedIdentity' } } } },
      })
    }
    const passwords = of('Microsoft.Web/sites/basicPublishingCredentialsPolicies')
    expect(passwords).toHaveLength(apps.length * 2)
    for (const one of passwords) expect(properties(one)).toEqual({ allow: false })
    const accounts = of('Microsoft.Storage/storageAccounts')
    expect(accounts).toHaveLength(apps.length + 1)
    for (const account of accounts)
      expect(properties(account)).toMatchObject({
        allowBlobPublicAccess: false,
        allowSharedKeyAccess: false,
        minimumTlsVersion: 'TLS1_2',
        supportsHttpsTrafficOnly: true,
      })
    for (const service of of('Microsoft.Storage/storageAccounts/blobServices'))
      expect(properties(service)).toMatchObject({
        isVersioningEnabled: false,
        deleteRetentionPolicy: { enabled: false },
      })
    for (const container of of('Microsoft.Storage/storageAccounts/blobServices/containers'))
      expect(properties(container)).toEqual({ publicAccess: 'None' })
    expect(of('Microsoft.DocumentDB/databaseAccounts').map(properties)).toMatchObject([
      {
        consistencyPolicy: { defaultConsistencyLevel: 'Strong' },
        enableMultipleWriteLocations: false,
        disableLocalAuth: true,
        minimalTlsVersion: 'Tls12',
        backupPolicy: { continuousModeProperties: { tier: 'Continuous7Days' } },
        capabilities: [{ name: 'EnableServerless' }],
      },
    ])
    expect(of('Microsoft.KeyVault/vaults').map(properties)).toMatchObject([
      { enableRbacAuthorization: true, enablePurgeProtection: true, enableSoftDelete: true },
    ])
  })

  it('has no key in a setting, and nothing that lists one', () => {
    expect(JSON.stringify(template())).not.toMatch(/listKeys|listSecrets|AccountKey|SharedAccess|PrimaryKey/i)
    for (const app of apps) {
      const names = Object.keys(settingsOf(app))
      expect(names).toEqual(
        expect.arrayContaining([
          'AMPERE_AZURE',
          'AZURE_CLIENT_ID',
          'AzureWebJobsStorage__accountName',
          'AzureWebJobsStorage__credential',
          'AzureWebJobsDisableHomepage',
        ]),
      )
      expect(names).not.toContain('AzureWebJobsStorage')
      const woken = identitiesOf('home').find(({ name }) => name === roleOf(app))?.wokenBy
      expect(settingsOf(app)['AMPERE_CHANGES']).toBe(woken?.table)
      expect('COSMOS__accountEndpoint' in settingsOf(app)).toBe(Boolean(woken))
    }
  })

  it('tells each app its stores, its own keys and its own identity, as the adapters want it', () => {
    const made = deployed(resources)
    const clients = new Set<string>()
    for (const app of of('Microsoft.Web/sites', made)) {
      const settings = settingsOf(app)
      const { naming, clientId, ...more } = JSON.parse(settings['AMPERE_AZURE'] ?? '') as {
        naming: AzureNaming
        clientId: string
      }
      expect(more).toEqual({})
      clients.add(clientId)
      expect(settings).toMatchObject({
        AZURE_CLIENT_ID: clientId,
        AzureWebJobsStorage__clientId: clientId,
        APPLICATIONINSIGHTS_AUTHENTICATION_STRING: `ClientId=${clientId};Authorization=AAD`,
      })
      checkNaming(naming)
      const needs = IDENTITIES.find(({ name }) => name === roleOf(app))?.needs.keys ?? {}
      // The vault signs with P-256 itself.
      const held = Object.keys(needs).filter((name) => name !== 'instance')
      expect(naming.keys).toEqual({
        vault: held.length < Object.keys(needs).length ? { instance: 'instance' } : {},
        software: {
          container: 'keys',
          wrappedBy: Object.fromEntries(held.map((name) => [name, `wrap-${name}`])),
        },
      })
    }
    expect(clients.size).toBe(apps.length)
  })

  it('assigns exactly what the needs of the roles give', () => {
    const identities = identitiesOf('home')
    // Each once: two software keys of a role lie in one container.
    const each = identities.flatMap((identity) => [
      ...new Map(assignmentsOf(identity).map((one) => [`${one.role} ${one.scope}`, one])).values(),
    ])
    const inCosmos = each.filter(({ role }) => AZURE_ROLES[role].service === 'cosmos')
    const tables = of('Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments')
    expect(tables.map((one) => /'\/(dbs[^']*)'/.exec(String(properties(one)['scope']))?.[1])).toEqual(
      inCosmos.map(({ scope }) => scope),
    )
    expect(tables.map(({ name }) => /, '([a-z-]+)', 'dbs/.exec(name)?.[1])).toEqual(
      inCosmos.map(({ role }) => role),
    )
    const others = of('Microsoft.Authorization/roleAssignments')
    const own = others.filter(
      ({ properties: its }) => !JSON.stringify(its).includes('subscriptionResourceId'),
    )
    const rest = each.filter(({ role }) => AZURE_ROLES[role].service !== 'cosmos')
    expect(own.map(({ name }) => /, '([a-z-]+)', '([a-zA-Z/-]*)'\)\]$/.exec(name)?.slice(1))).toEqual(
      rest.map(({ role, scope }) => [role, scope]),
    )
    for (const [at, { scope = '' }] of own.entries()) {
      const last = rest[at]?.scope.split('/').at(-1)
      // The whole account of the objects.
      if (last === '')
        expect(scope).toMatch(/^\[resourceId\('Microsoft.Storage\/storageAccounts', concat\('ampereobj'/)
      else expect(scope).toContain(`'${last}'`)
    }
    // What a host needs of its own account, and for its telemetry.
    expect(others).toHaveLength(own.length + 2 * identities.length)
    const definitions = [
      ...of('Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions'),
      ...of('Microsoft.Authorization/roleDefinitions'),
    ].map((one) => {
      const [{ actions, dataActions } = { dataActions: [] }] = properties(one)['permissions'] as {
        actions?: string[]
        dataActions: string[]
      }[]
      return [actions ?? [], dataActions]
    })
    const wanted = roleDefinitions(each).map(({ actions = [], dataActions }) => [actions, dataActions])
    const sorted = (all: readonly unknown[]) => all.map((one) => JSON.stringify(one)).toSorted()
    expect(sorted(definitions)).toEqual(sorted(wanted))
  })

  it('has every table, store and key that a role needs, and no other', () => {
    const needs = IDENTITIES.map(({ needs: each }) => each)
    const names = (member: 'tables' | 'objects' | 'keys') =>
      [...new Set(needs.flatMap((each) => Object.keys(each[member])))].toSorted()
    const tables = of('Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers')
    expect(tables.map(lastName).toSorted()).toEqual([...names('tables'), 'keys', 'leases'].toSorted())
    for (const table of tables)
      expect(properties(table)).toMatchObject({
        resource: { partitionKey: { paths: [lastName(table) === 'leases' ? '/id' : '/pk'] } },
      })
    const stores = of('Microsoft.Storage/storageAccounts/blobServices/containers').filter(({ name }) =>
      name.includes('ampereobj'),
    )
    expect(stores.map(lastName)).toEqual(names('objects'))
    const keys = of('Microsoft.KeyVault/vaults/keys')
    expect(keys.map(lastName)).toEqual(
      names('keys').map((name) => (name === 'instance' ? name : `wrap-${name}`)),
    )
    for (const key of keys)
      expect(properties(key)).toMatchObject(
        lastName(key) === 'instance'
          ? { kty: 'EC', curveName: 'P-256', keyOps: ['sign', 'verify'] }
          : { kty: 'RSA', keySize: 3072, keyOps: ['wrapKey', 'unwrapKey'] },
      )
  })

  it('has a front that asks the role that has the operation', () => {
    const operations = frontOperations()
    const routes = operations.map(
      ({ method, urlTemplate }) => `${method} ${urlTemplate.replaceAll(/\{\w+\}/g, '{}')}`,
    )
    expect(routes.filter((route, at) => routes.indexOf(route) !== at)).toEqual([])
    const count = Object.values(HOME_OPERATIONS).flat().length
    expect(operations.length).toBeGreaterThan(count)
    for (const { role, method, urlTemplate, id } of operations) {
      expect(urlTemplate).toMatch(/^(?:\/[a-z.0-9-]+|\/\{[a-zA-Z]+\}|\/\*)+$/)
      expect(id.split('-')[0]).toBe(role)
      const digest = 'A'.repeat(43)
      const path = urlTemplate.replaceAll('*', 'x/000').replaceAll(/\{\w+\}/g, digest)
      if (!id.includes('-rest-') && !/\{(?:height|size|seq|from)\}/.test(urlTemplate))
        expect([path, roleFor(new Request(`http://h${path}`, { method }))]).toEqual([path, role])
    }
    const backends = of('Microsoft.ApiManagement/service/backends').map(lastName)
    expect(new Set(operations.map(({ role }) => role))).toEqual(new Set(backends))
  })

  it.each([
    [{ nodeVersion: 20 }, /nodeVersion is one of 24, 22/],
    [{ capacity: 'x' }, /capacity is one of/],
    [{ publicNetworkAccess: 'x' }, /publicNetworkAccess is one of/],
    [{ logRetentionDays: 7 }, /logRetentionDays is a whole number/],
    [{ setUpPrincipal: 'me' }, /setUpPrincipal is no object id/],
    [{ alarmEmail: 'me' }, /alarmEmail is no address/],
    [{ budget: 10 }, /budget needs alarmEmail/],
  ])('refuses %j and says why', (parameters, why) => {
    expect(() => template(parameters)).toThrow(why)
    expect(() => template(parameters)).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }))
  })

  it('scales tables where it is told to, and shuts stores that are reached privately', () => {
    const { resources: made } = template({ capacity: 'provisioned', publicNetworkAccess: 'Disabled' })
    const text = JSON.stringify(of('Microsoft.DocumentDB/databaseAccounts', made))
    expect(text).not.toContain('EnableServerless')
    expect(text).toContain('"publicNetworkAccess":"Disabled"')
    for (const table of of('Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers', made))
      expect(properties(table)).toHaveProperty('options.autoscaleSettings.maxThroughput', 4000)
    expect(of('Microsoft.KeyVault/vaults', made).map(properties)).toMatchObject([
      { publicNetworkAccess: 'Disabled', networkAcls: { defaultAction: 'Deny' } },
    ])
  })

  it('is filled in by ARM where only Azure knows a name, whatever is in the text', () => {
    expect(filledIn('plain')).toBe('plain')
    expect(filledIn('[x]')).toBe('[[x]')
    expect(filledIn("it's ${a('b')}!")).toBe("[concat('it''s ', a('b'), '!')]")
    expect(filledIn('${a()}')).toBe('[a()]')
  })

  it('comes with what a package has at its top: the host without a prefix, and the entry', () => {
    const file = (name: string) =>
      JSON.parse(
        readFileSync(new URL(`../../../infra/azure/package/${name}`, import.meta.url), 'utf8'),
      ) as object
    expect(file('host.json')).toMatchObject({
      version: '2.0',
      extensionBundle: { version: '[4.0.0, 5.0.0)' },
      extensions: { http: { routePrefix: '' } },
    })
    expect(file('package.json')).toMatchObject({ type: 'module', main: 'index.mjs' })
  })
})
