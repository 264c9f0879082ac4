// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '#core/errors.ts'
import type { KeyName, ObjectsName, TableName } from '#core/ports/needs.ts'

/** What the parts of a deployment are called in its account. They are made by the template, never from here. */
export interface AwsNaming {
  /** Tables are called `PREFIX-TABLE`, for example `ampere-prod-blocks`. */
  readonly prefix: string
  /** The bucket of each object store; or what comes before `-STORE` in the names of all. */
  readonly buckets: Readonly<Partial<Record<ObjectsName, string>>> | { readonly bucketPrefix: string }
  readonly keys: AwsKeyNaming
}

/**
 * Keys of KMS by id or ARN, never by alias: whoever may move an alias would choose the key. `sealing`, `instance`, `institution`
 * and `controller` are always keys of KMS; `log`, `log-quantum`, `witness` and `witness-quantum` where they are named here, and else
 * software keys, as `head` always is.
 */
export interface AwsKeyNaming {
  readonly kms: Readonly<Partial<Record<KeyName, string>>>
  /** The table with the wrapped seeds (its full name) and the symmetric key of KMS that wraps them; a role without software keys has none. */
  readonly softwareKeys?: { readonly table: string; readonly wrappingKey: string }
}

const REGION = /^[a-z]{2,}(?:-[a-z]+)+-\d+$/
/** A UUID, or the id of a multi-region key, alone or at the end of an ARN. */
const KEY =
  /^(?:arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/)?(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})$/
const TABLE = /^[A-Za-z0-9_.-]{3,255}$/
const BUCKET = /^(?!xn--|.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/

/** @throws AmpereError CONFIGURATION, naming what is wrong */
export function checkNaming(region: string, { prefix, keys }: AwsNaming): void {
  if (!REGION.test(region))
    throw wrong(`"${region}" is not the name of a region of AWS, such as eu-central-1`)
  if (!TABLE.test(`${prefix}-x`))
    throw wrong('the prefix of the tables has a character that no table name has')
  for (const [name, id] of Object.entries(keys.kms)) {
    checkKey(name, id)
    if (name === 'head')
      throw wrong('the key head is a software key: it signs every append, and each would cost a request')
  }
  if (!keys.softwareKeys) return
  if (!TABLE.test(keys.softwareKeys.table)) throw wrong('the table of software keys has no possible name')
  checkKey('of software keys', keys.softwareKeys.wrappingKey)
}

function checkKey(name: string, id: string): void {
  if (id.includes('alias/'))
    throw wrong(
      `the key ${name} is named by an alias, and whoever may move that would choose the key: give its id or ARN`,
    )
  if (!KEY.test(id)) throw wrong(`the key ${name} is not named by the id or the ARN of a key of KMS`)
}

export function tableName({ prefix }: AwsNaming, table: TableName): string {
  return `${prefix}-${table}`
}

/** @throws AmpereError CONFIGURATION where none is named */
export function bucketName({ buckets }: AwsNaming, store: ObjectsName): string {
  const name =
    'bucketPrefix' in buckets && typeof buckets.bucketPrefix === 'string'
      ? `${buckets.bucketPrefix}-${store}`
      : (buckets as Partial<Record<ObjectsName, string>>)[store]
  if (name === undefined) throw wrong(`no bucket is named for the objects "${store}"`)
  if (!BUCKET.test(name)) throw wrong(`the bucket for the objects "${store}" has no possible name`)
  return name
}

function wrong(message: string): AmpereError {
  return new AmpereError('CONFIGURATION', message)
}
