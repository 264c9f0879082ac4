// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { routesOf } from '#infra/aws/routes.ts'
import { storesTemplateOf, templateOf } from '#infra/aws/template.ts'
import { identitiesOf } from '#infra/permissions/identities.ts'

const DEFAULTS = {
  deploys: 'home',
  recoveryDays: 35,
  keyRecoveryDays: 35,
  logRetentionDays: 30,
  nativeKeys: '',
  alarmEmail: '',
  kmsCallsPerHour: 10_000,
  budgetUsd: 0,
}
interface Made {
  readonly Type: string
  readonly Properties: Readonly<Record<string, unknown>>
}
const made = (parameters: object = {}): Readonly<Record<string, Made>> => {
  const given = { ...DEFAULTS, ...parameters }
  const { resources } = templateOf('test', given)
  const runs = (resources as { readonly Resources: Readonly<Record<string, Made>> }).Resources
  return { ...runs, ...storesTemplateOf('test', given).Resources }
}
const specs = (resources: Readonly<Record<string, Made>>) =>
  Object.fromEntries(
    Object.entries(resources).flatMap(([id, { Type, Properties }]) =>
      Type === 'AWS::KMS::Key' ? [[id, Properties['KeySpec']]] : [],
    ),
  )

describe('what serverless.yml includes', () => {
  it('has a key of KMS for the mirror, and for the log and the witness where the region has them, else seeds in a table', () => {
    const always = {
      DataKey: 'SYMMETRIC_DEFAULT',
      WrappingKey: 'SYMMETRIC_DEFAULT',
      InstanceKey: 'ECC_NIST_P256',
    }
    expect(specs(made())).toEqual(always)
    expect(specs(made({ nativeKeys: 'Ed25519,ML-DSA-44' }))).toEqual({
      ...always,
      LogKey: 'ECC_NIST_EDWARDS25519',
      LogQuantumKey: 'ML_DSA_44',
      WitnessKey: 'ECC_NIST_EDWARDS25519',
      WitnessQuantumKey: 'ML_DSA_44',
    })
    // The key that signs heads stays a seed.
    expect(made({ nativeKeys: 'Ed25519,ML-DSA-44' })).toHaveProperty('KeysTable')
  })

  it('keeps no backup of keys, and tells nobody, where it is told so', () => {
    const resources = made({ keyRecoveryDays: 0 })
    const recovery = 'PointInTimeRecoverySpecification'
    expect(resources['WrapsTable']?.Properties[recovery]).toEqual({ PointInTimeRecoveryEnabled: false })
    expect(resources['BlocksTable']?.Properties[recovery]).toMatchObject({ RecoveryPeriodInDays: 35 })
    expect(resources['AlarmTopic']?.Properties).not.toHaveProperty('Subscription')
    expect(resources).not.toHaveProperty('MonthlyBudget')
  })

  it('lets what was uploaded and not appended go after two days, and nothing else', () => {
    const expiring = Object.entries(made({ deploys: 'both' })).flatMap(([id, { Type, Properties }]) => {
      if (Type !== 'AWS::S3::Bucket') return []
      const { Rules } = Properties['LifecycleConfiguration'] as { readonly Rules: readonly object[] }
      const days = Rules.flatMap((rule) => ('ExpirationInDays' in rule ? [rule.ExpirationInDays] : []))
      return days.length > 0 ? [[id, days]] : []
    })
    expect(expiring).toEqual([['UploadsBucket', [2]]])
  })

  it.each([
    [{ keyRecoveryDays: 36 }, /keyRecoveryDays is a whole number from 0 to 35/],
    [{ recoveryDays: '' }, /recoveryDays is a whole number/],
    [{ deploys: 'all' }, /deploys is home, bridge or both/],
    [{ nativeKeys: 'RSA' }, /nativeKeys lists some of/],
    [{ logRetentionDays: 8 }, /logRetentionDays is one of/],
    [{ alarmEmail: 'me' }, /alarmEmail is no address/],
    [{ budgetUsd: 10 }, /budgetUsd needs alarmEmail/],
    [{ otlpEndpoint: 'https://a:b@c' }, /otlpEndpoint is the URL of a collector/],
  ])('refuses %j and says why', (parameters, why) => {
    expect(() => made(parameters)).toThrow(why)
    expect(() => made(parameters)).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }))
  })

  it('refuses a stage that could not be part of the name of a bucket', () => {
    for (const stage of ['Prod', '', '1', 'a'.repeat(17), 'a_b'])
      expect(() => templateOf(stage, DEFAULTS)).toThrow(/the stage is/)
  })

  it('keeps what holds records, keys and the address apart from what runs, and names nothing in both', () => {
    const { resources } = templateOf('test', { ...DEFAULTS, deploys: 'both' })
    const stores = storesTemplateOf('test', { ...DEFAULTS, deploys: 'both' })
    const runs = (resources as { readonly Resources: Readonly<Record<string, Made>> }).Resources
    expect(Object.keys(runs).filter((id) => id in stores.Resources)).toEqual([])
    const kept = /^AWS::(?:DynamoDB|S3|KMS|ApiGatewayV2)::/
    expect(Object.entries(runs).filter(([, { Type }]) => kept.test(Type))).toEqual([])
    for (const [id, resource] of Object.entries(stores.Resources))
      if (kept.test(resource.Type))
        expect([id, resource]).toEqual([
          id,
          expect.objectContaining({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' }),
        ])
  })

  it('imports nothing that is not exported', () => {
    for (const deploys of ['home', 'bridge', 'both']) {
      const given = { ...DEFAULTS, deploys }
      const { Outputs } = storesTemplateOf('test', given)
      const exported = Object.values(Outputs).map(
        (output) => (output as { Export?: { Name: string } }).Export?.Name,
      )
      const text = JSON.stringify(templateOf('test', given))
      const imported = [...text.matchAll(/"Fn::ImportValue":"([^"]+)"/g)].map(([, name]) => name)
      expect(imported.length).toBeGreaterThan(0)
      expect([...new Set(imported)].filter((name) => !exported.includes(name))).toEqual([])
      expect(exported).toContain('ampere-test-HttpApi-Id')
    }
  })

  it('gives no two roles the same route', () => {
    const routes = identitiesOf('both').flatMap(({ name }) =>
      routesOf(name).map(({ method, path }) => `${method} ${path}`),
    )
    expect(routes).toHaveLength(new Set(routes).size)
    // An HTTP API has 300 routes at most (Amazon API Gateway quotas).
    expect(routes.length).toBeLessThan(300)
    for (const route of routes)
      expect(route).toMatch(/^(?:[A-Z]+|\*) (?:null|(?:\/[a-z.0-9-]+|\/\{[a-z]+\+?\})+)$/)
  })

  it('names nothing but tables, buckets and keys in the environment of a function', () => {
    const { functions } = templateOf('test', DEFAULTS)
    for (const [name, each] of Object.entries(functions) as [
      string,
      { environment: { AMPERE_AWS: unknown } },
    ][]) {
      const given = each.environment.AMPERE_AWS
      const filled = (given as { readonly 'Fn::Sub'?: unknown })['Fn::Sub'] ?? given
      const naming = JSON.parse(String([filled].flat()[0])) as object
      expect([name, Object.keys(naming)]).toEqual([name, ['prefix', 'buckets', 'keys']])
    }
  })
})
