// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { writeFileSync } from 'node:fs'
import { filledIn, logicalId, referencesOf } from '#infra/aws/references.ts'
import { moverPolicy, policyOf, setUpPolicy } from '#infra/permissions/aws/policy.ts'
import { custodyOf, grantsOf, grantsOfKind } from '#infra/permissions/grants.ts'
import type { SignatureAlgorithm } from '#core/ports/keys.ts'
import { BACKUP, identitiesOf, type Deploys } from '#infra/permissions/identities.ts'
import { HOME_OPERATIONS } from '#functions/roles.ts'
import { lint, packageFor, type Packaged, type Packaging, type Template } from './packaged.ts'

const PREFIX = 'ampere-test'
const WITH: Readonly<Record<string, string>> = {
  keyRecoveryDays: '7',
  alarmEmail: 'operator@example.org',
  budgetUsd: '50',
}
const packagings: Packaging[] = []
const packaged = (parameters: Readonly<Record<string, string>>): Template => {
  const packaging = packageFor(parameters)
  packagings.push(packaging)
  if (!packaging.template) throw new Error(packaging.said)
  return packaging.template
}
afterAll(() => packagings.forEach(({ close }) => close()))

/** A home where KMS signs with P-256 alone, and both where it signs with all. */
const CASES: readonly (readonly [Deploys, readonly SignatureAlgorithm[]])[] = [
  ['home', ['ES256']],
  ['both', ['ES256', 'Ed25519', 'ML-DSA-44']],
]

describe.each(CASES)('the template of a deployment of %s with keys of KMS for %j', (deploys, native) => {
  const identities = identitiesOf(deploys)
  const grants = identities.flatMap((identity) => grantsOf(identity))
  let template: Template
  const get = (id: string, type: string): Packaged['Properties'] => {
    const found = template.resources[id]
    expect([id, found?.Type]).toEqual([id, type])
    return found?.Properties ?? {}
  }
  const all = (type: string) => Object.entries(template.resources).filter(([, { Type }]) => Type === type)

  beforeAll(() => {
    template = packaged({ ...WITH, deploys, nativeKeys: native.join() })
  })

  it('has nothing that cfn-lint finds', () => {
    for (const file of template.files) expect(lint(file)).toEqual([])
  })

  it('has exactly the tables that needs name, each encrypted, recoverable as long as it may be, and kept', () => {
    const names = new Set<string>(grantsOfKind(grants, 'table').map(({ name }) => name))
    names.add('keys')
    expect(
      all('AWS::DynamoDB::Table')
        .map(([id]) => id)
        .toSorted(),
    ).toEqual([...names].map((name) => logicalId(name, 'Table')).toSorted())
    for (const name of names) {
      const days = ['wraps', 'packages', 'labels', 'mirror-keys', 'enrolments'].includes(name) ? 7 : 35
      const table = get(logicalId(name, 'Table'), 'AWS::DynamoDB::Table')
      expect(table).toMatchObject({
        TableName: `${PREFIX}-${name}`,
        BillingMode: 'PAY_PER_REQUEST',
        DeletionProtectionEnabled: true,
        SSESpecification: {
          SSEEnabled: true,
          SSEType: 'KMS',
          KMSMasterKeyId: { 'Fn::GetAtt': ['DataKey', 'Arn'] },
        },
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: days },
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
      })
      expect('StreamSpecification' in table).toBe(['dirty', 'jobs'].includes(name))
    }
    expect(all('AWS::DynamoDB::GlobalTable')).toEqual([])
  })

  it('has exactly the buckets that needs name, closed, encrypted, without versions, over TLS only', () => {
    const names = [...new Set(grantsOfKind(grants, 'objects').map(({ name }) => name))]
    expect(
      all('AWS::S3::Bucket')
        .map(([id]) => id)
        .toSorted(),
    ).toEqual(['ServerlessDeploymentBucket', ...names.map((name) => logicalId(name, 'Bucket'))].toSorted())
    for (const [id, { Properties }] of all('AWS::S3::Bucket'))
      expect([id, Object.values(Properties['PublicAccessBlockConfiguration'] ?? {})]).toEqual([
        id,
        [true, true, true, true],
      ])
    for (const name of names) {
      const bucket = get(logicalId(name, 'Bucket'), 'AWS::S3::Bucket')
      expect(bucket['BucketName']).toEqual({
        'Fn::Sub': `${PREFIX}-${name}-\${AWS::AccountId}-\${AWS::Region}`,
      })
      expect(bucket['BucketEncryption']).toEqual({
        ServerSideEncryptionConfiguration: [
          {
            BucketKeyEnabled: true,
            ServerSideEncryptionByDefault: {
              SSEAlgorithm: 'aws:kms',
              KMSMasterKeyID: { 'Fn::GetAtt': ['DataKey', 'Arn'] },
            },
          },
        ],
      })
      expect(bucket).not.toHaveProperty('VersioningConfiguration')
      expect(JSON.stringify(bucket['LifecycleConfiguration'])).toContain('"DaysAfterInitiation":1')
      const policy = get(logicalId(name, 'BucketPolicy'), 'AWS::S3::BucketPolicy')
      expect(policy['PolicyDocument']).toMatchObject({
        Statement: [
          { Effect: 'Deny', Principal: '*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
        ],
      })
    }
  })

  it('has a key for each name that KMS signs with, and lets nobody use one for being an administrator', () => {
    const held = grantsOfKind(grants, 'key').filter(
      ({ name, access }) => custodyOf(name, access, native) === 'service',
    )
    const signing = [...new Set(held.map(({ name }) => logicalId(name, 'Key')))]
    expect(
      all('AWS::KMS::Key')
        .map(([id]) => id)
        .toSorted(),
    ).toEqual(['DataKey', 'WrappingKey', ...signing].toSorted())
    for (const [id, { Properties }] of all('AWS::KMS::Key')) {
      if (!signing.includes(id)) expect(Properties).toMatchObject({ EnableKeyRotation: true })
      const { Statement } = Properties['KeyPolicy'] as {
        readonly Statement: readonly { readonly Action: string[]; readonly Condition?: object }[]
      }
      for (const { Action, Condition } of Statement) {
        expect(Action.filter((action) => !/^kms:[A-Za-z]+$/.test(action))).toEqual([])
        const uses = Action.filter((action) => /Sign|crypt|DataKey|CreateGrant|Mac/.test(action))
        if (uses.length > 0) expect(JSON.stringify(Condition)).toMatch(/aws:PrincipalArn|kms:ViaService/)
      }
    }
  })

  it('keeps what holds records and keys when the stack goes or would replace it', () => {
    const kept = ['AWS::DynamoDB::Table', 'AWS::KMS::Key', 'AWS::S3::Bucket'].flatMap(all)
    const lost = kept.filter(
      ([id, { DeletionPolicy, UpdateReplacePolicy }]) =>
        id !== 'ServerlessDeploymentBucket' &&
        (DeletionPolicy !== 'Retain' || UpdateReplacePolicy !== 'Retain'),
    )
    expect(lost.map(([id]) => id)).toEqual([])
  })

  it('gives each function its own role with exactly the policy of its needs', () => {
    const names = referencesOf(PREFIX, 'functions')
    const stores = referencesOf(PREFIX, 'stores')
    const roles = all('AWS::IAM::Role').map(([id]) => id)
    // Whoever backs a home up takes a role on; no function has it.
    const taken = deploys === 'bridge' ? [] : [BACKUP]
    const named = [...identities, ...taken].map(({ name }) => logicalId(name, 'Role'))
    expect(roles.toSorted()).toEqual(['SetupRole', ...named].toSorted())
    const policies = (id: string) => get(id, 'AWS::IAM::Role')['Policies']
    const document = (statements: unknown) => [
      { PolicyName: 'needs', PolicyDocument: { Version: '2012-10-17', Statement: filledIn(statements) } },
    ]
    for (const identity of identities)
      expect(policies(logicalId(identity.name, 'Role'))).toEqual(document(policyOf(identity, names, native)))
    for (const { name } of taken)
      expect(policies(logicalId(name, 'Role'))).toEqual(document(moverPolicy(BACKUP, stores, native)))
    expect(policies('SetupRole')).toEqual(document(setUpPolicy(identities, stores, native)))
    for (const [id, { Properties }] of all('AWS::IAM::Role')) {
      expect(Object.keys(Properties).toSorted()).toEqual(['AssumeRolePolicyDocument', 'Policies', 'RoleName'])
      // Beside all objects of a bucket and all streams of a log.
      expect([id, JSON.stringify(Properties).replaceAll(/(?:Region\}\/|-[a-z]+:)\*"/g, '"')]).toEqual([
        id,
        expect.not.stringContaining('*'),
      ])
    }
    expect(['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].flatMap(all)).toEqual([])
  })

  it('has a function for each role: arm64, Node 24, its own role, its own log that ends, and no secret', () => {
    expect(all('AWS::Lambda::Function')).toHaveLength(identities.length)
    for (const { name } of identities) {
      const lambda = get(logicalId(name, 'LambdaFunction'), 'AWS::Lambda::Function')
      expect(lambda).toMatchObject({
        FunctionName: `${PREFIX}-${name}`,
        Handler: `dist/aws/${name}/index.handler`,
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Role: { 'Fn::GetAtt': [logicalId(name, 'Role'), 'Arn'] },
      })
      const { Variables } = lambda['Environment'] as {
        readonly Variables: Readonly<Record<string, unknown>>
      }
      expect(Object.keys(Variables)).toEqual(['AMPERE_AWS'])
      expect(get(logicalId(name, 'LogGroup'), 'AWS::Logs::LogGroup')).toEqual({
        LogGroupName: `/aws/lambda/${PREFIX}-${name}`,
        RetentionInDays: 30,
      })
    }
  })

  it('routes each operation to the role that has it, and what is none to one that says so', () => {
    const keys = all('AWS::ApiGatewayV2::Route').map(([, { Properties }]) => String(Properties['RouteKey']))
    expect(keys).toHaveLength(new Set(keys).size)
    const integrations = new Map(
      all('AWS::ApiGatewayV2::Route').map(([, { Properties }]) => [
        String(Properties['RouteKey']),
        JSON.stringify(Properties['Target']),
      ]),
    )
    if (deploys !== 'home')
      expect(integrations.get('ANY /fhir/{path+}')).toContain('HttpApiIntegrationBridge')
    expect(integrations.get('$default')).toContain('HttpApiIntegrationDiscovery')
    for (const [role, operations] of Object.entries(HOME_OPERATIONS)) {
      for (const { method, pattern } of operations) {
        const path = pattern.replace(/:(\w+)\{\.\+\}$/, '{$1+}').replaceAll(/:(\w+)(?:\{[^}]*\})?/g, '{$1}')
        expect([pattern, integrations.get(`${method} ${path}`)]).toEqual([
          pattern,
          expect.stringContaining(`"HttpApiIntegration${logicalId(role, '')}"`),
        ])
      }
    }
  })

  it('wakes who is to be woken by its table, within a second, and tells what failed for good', () => {
    const mappings = all('AWS::Lambda::EventSourceMapping').map(([, { Properties }]) => Properties)
    const woken = identities.filter(({ wokenBy }) => wokenBy !== null)
    expect(mappings).toHaveLength(woken.length)
    for (const { name, wokenBy } of woken) {
      const table = logicalId(wokenBy?.table ?? '', 'Table')
      expect(mappings).toContainEqual(
        expect.objectContaining({
          EventSourceArn: { 'Fn::ImportValue': `${PREFIX}-${table}-StreamArn` },
          MaximumBatchingWindowInSeconds: 1,
          // Removing marks wakes nobody.
          FilterCriteria: { Filters: [{ Pattern: expect.stringContaining('"eventName":["INSERT"]') }] },
          BisectBatchOnFunctionError: true,
          MaximumRetryAttempts: expect.any(Number),
          DestinationConfig: {
            OnFailure: { Destination: { 'Fn::GetAtt': [logicalId(name, 'Failures'), 'Arn'] } },
          },
        }),
      )
      expect(get(table, 'AWS::DynamoDB::Table')['StreamSpecification']).toEqual({
        StreamViewType: 'KEYS_ONLY',
      })
      expect(get(logicalId(name, 'Failures'), 'AWS::SQS::Queue')).toMatchObject({
        QueueName: `${PREFIX}-${name}-failed`,
        SqsManagedSseEnabled: true,
      })
    }
  })

  it('tells somebody of errors, throttles and costs, and in a home of delays and old audits', () => {
    const alarms = all('AWS::CloudWatch::Alarm').map(([id]) => id)
    for (const { name } of identities)
      expect(alarms).toEqual(
        expect.arrayContaining([`${logicalId(name, 'Errors')}Alarm`, `${logicalId(name, 'Throttles')}Alarm`]),
      )
    const ofHome = ['SequencerLag', 'SequencerDeadLetters', 'LogFailing', 'AuditAge', 'Damage', 'AppendP99']
    if (deploys !== 'bridge') expect(alarms).toEqual(expect.arrayContaining(ofHome.map((id) => `${id}Alarm`)))
    for (const [, { Properties }] of all('AWS::CloudWatch::Alarm'))
      expect(Properties['AlarmActions']).toEqual([{ Ref: 'AlarmTopic' }])
    expect(get('AlarmTopic', 'AWS::SNS::Topic')['Subscription']).toEqual([
      { Protocol: 'email', Endpoint: 'operator@example.org' },
    ])
    expect(get('MonthlyBudget', 'AWS::Budgets::Budget')['Budget']).toMatchObject({
      BudgetLimit: { Amount: 50, Unit: 'USD' },
    })
  })

  it('has as many resources as one stack may have, and its text fits', () => {
    // AWS CloudFormation quotas: 500 resources, 1 MB of template.
    expect(Object.keys(template.resources).length).toBeLessThan(450)
    expect(JSON.stringify(template.resources).length).toBeLessThan(900_000)
  })
})

describe('packaging', () => {
  it('refuses what cannot be meant, and says why', () => {
    const packaging = packageFor({ keyRecoveryDays: '36' })
    packagings.push(packaging)
    expect(packaging.template).toBeNull()
    expect(packaging.said).toContain('keyRecoveryDays is a whole number from 0 to 35')
  })

  it('would be found faulty by cfn-lint if it were', () => {
    const { template } = packagings[0] ?? {}
    if (!template) throw new Error('nothing was packaged')
    const { DataKey, WrapsTable } = template.resources
    const broken = { ...WrapsTable, Properties: { ...WrapsTable?.Properties, BillingMode: 'FREE' } }
    const file = `${template.files[0]}.broken.json`
    writeFileSync(file, JSON.stringify({ Resources: { DataKey, WrapsTable: broken } }))
    expect(lint(file).join('\n')).toMatch(/E3030.*FREE|FREE.*E3030/s)
  })
})
