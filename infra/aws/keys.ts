// SPDX-License-Identifier: Apache-2.0
import { signingAlgorithm, type KeyName } from '#core/ports/needs.ts'
import type { SignatureAlgorithm } from '#core/ports/keys.ts'
import { KEY_CONTEXT } from '#infra/permissions/aws/names.ts'
import { custodyOf, grantsOf, grantsOfKind } from '#infra/permissions/grants.ts'
import { filledIn, logicalId, referencesOf, RETAINED, type Resource, type Resources } from './references.ts'
import type { AwsSettings } from './settings.ts'

/** Whoever sets a deployment up takes on this role; it makes software keys. */
export const SET_UP = 'setup'

const SPECS: Readonly<Record<SignatureAlgorithm, string>> = {
  ES256: 'ECC_NIST_P256',
  Ed25519: 'ECC_NIST_EDWARDS25519',
  'ML-DSA-44': 'ML_DSA_44',
}

/** What the account may do with every key: all that a key needs but use. Whoever may change the policy can give itself use. */
const ADMINISTRATION = [
  'CancelKeyDeletion',
  'DescribeKey',
  'DisableKey',
  'DisableKeyRotation',
  'EnableKey',
  'EnableKeyRotation',
  'GetKeyPolicy',
  'GetKeyRotationStatus',
  'ListGrants',
  'ListKeyPolicies',
  'ListKeyRotations',
  'ListResourceTags',
  'PutKeyPolicy',
  'RevokeGrant',
  'RotateKeyOnDemand',
  'ScheduleKeyDeletion',
  'TagResource',
  'UntagResource',
  'UpdateKeyDescription',
].map((action) => `kms:${action}`)
const DAYS_UNTIL_DELETED = 30

/**
 * The keys: one that encrypts tables and buckets, one that wraps seeds, and one for each name that KMS signs with. In a key's
 * policy `*` is this key. Use is given to the account's own roles by their names: by name, because a role's policy names the key,
 * and each would have to be made before the other. Both policies must allow.
 */
export function keys(settings: AwsSettings): Resources {
  const { prefix } = settings
  const held = heldKeys(settings)
  const users = (of: (one: (typeof held)[number]) => boolean) => [
    ...new Set(held.filter(of).map(({ identity }) => identity)),
  ]
  const unwrapping = users(({ custody }) => custody !== 'service')
  return {
    DataKey: key(`${prefix}: encrypts tables and buckets`, SYMMETRIC, throughStores(settings)),
    ...(unwrapping.length > 0 && {
      WrappingKey: key(`${prefix}: wraps the seeds of software and sealing keys`, SYMMETRIC, [
        wrapping('Unwrap', ['Decrypt'], [...unwrapping, SET_UP], settings),
        wrapping('Wrap', ['Encrypt'], [SET_UP], settings),
      ]),
    }),
    ...Object.fromEntries(
      signingKeys(settings).map((name) => [
        logicalId(name, 'Key'),
        key(`${prefix}: signs as ${name}`, asymmetric(name), [
          use(
            'Sign',
            ['Sign'],
            users((one) => one.name === name),
            settings,
          ),
          use('Know', ['GetPublicKey'], [...users((one) => one.name === name), SET_UP], settings),
        ]),
      ]),
    ),
  }
}

function heldKeys({ identities, mover, native }: AwsSettings) {
  return [...identities, ...(mover ? [mover] : [])].flatMap(({ name: identity, ...rest }) =>
    grantsOfKind(grantsOf(rest), 'key').map(({ name, access }) => ({
      identity,
      name,
      custody: custodyOf(name, access, native),
    })),
  )
}

/** The keys that KMS itself signs with, each with a key of its own. */
export function signingKeys(settings: AwsSettings): readonly KeyName[] {
  const signing = heldKeys(settings).filter(({ custody }) => custody === 'service')
  return [...new Set(signing.map(({ name }) => name))].toSorted()
}

const SYMMETRIC = { KeySpec: 'SYMMETRIC_DEFAULT', KeyUsage: 'ENCRYPT_DECRYPT', EnableKeyRotation: true }

function asymmetric(name: KeyName) {
  return { KeySpec: SPECS[signingAlgorithm(name)], KeyUsage: 'SIGN_VERIFY' }
}

function key(Description: string, spec: object, statements: readonly object[]): Resource {
  const administer = {
    Sid: 'Administer',
    Effect: 'Allow',
    Principal: ACCOUNT,
    Action: ADMINISTRATION,
    Resource: '*',
  }
  return {
    Type: 'AWS::KMS::Key',
    ...RETAINED,
    Properties: {
      Description,
      ...spec,
      PendingWindowInDays: DAYS_UNTIL_DELETED,
      KeyPolicy: { Version: '2012-10-17', Statement: filledIn([administer, ...statements]) },
    },
  }
}

const ACCOUNT = { AWS: 'arn:${AWS::Partition}:iam::${AWS::AccountId}:root' }

function statement(Sid: string, actions: readonly string[], Condition: object) {
  return {
    Sid,
    Effect: 'Allow',
    Principal: ACCOUNT,
    Action: actions.map((action) => `kms:${action}`),
    Resource: '*',
    Condition,
  }
}

/** Amazon DynamoDB Developer Guide, "authorizing use of your customer managed key": the store uses it for who may use the store. */
function throughStores({ prefix }: AwsSettings): readonly object[] {
  const { serviceHost, account } = referencesOf(prefix, 'stores')
  const stores = {
    'kms:CallerAccount': account,
    'kms:ViaService': [serviceHost('dynamodb'), serviceHost('s3')],
  }
  const uses = ['Decrypt', 'DescribeKey', 'Encrypt', 'GenerateDataKey', 'ReEncryptFrom', 'ReEncryptTo']
  return [
    statement('UseThroughStores', uses, { StringEquals: stores }),
    statement('KeepThroughStores', ['CreateGrant'], {
      StringEquals: { ...stores, 'kms:ViaService': serviceHost('dynamodb') },
      Bool: { 'kms:GrantIsForAWSResource': 'true' },
    }),
  ]
}

function use(sid: string, actions: readonly string[], users: readonly string[], { prefix }: AwsSettings) {
  const roles = users.map(referencesOf(prefix, 'stores').role).toSorted()
  return statement(sid, actions, { ArnEquals: { 'aws:PrincipalArn': roles } })
}

/** Also by an administrator's mistake nothing is wrapped that is bound to no name. */
function wrapping(sid: string, actions: readonly string[], users: readonly string[], settings: AwsSettings) {
  const used = use(sid, actions, users, settings)
  const named = { Null: { [`kms:EncryptionContext:${KEY_CONTEXT}`]: 'false' } }
  return { ...used, Condition: { ...used.Condition, ...named } }
}
