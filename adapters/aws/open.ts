// SPDX-License-Identifier: Apache-2.0
import { once, onceEach } from '#core/order/once.ts'
import type { Fetch, Now, Random, Signer, Wrapper } from '#core/ports/keys.ts'
import type { KeyName, Platform } from '#core/ports/needs.ts'
import type { AwsCall, AwsService } from './clients/calls.ts'
import type { AwsConnection, AwsCredentials } from './clients/connection.ts'
import { bucketName, checkNaming, tableName, type AwsNaming } from './clients/naming.ts'
import { awsSoftwareKeys, noSoftwareKeys } from './keys/software-keys.ts'
import { awsObjects } from './objects.ts'
import { awsSigner } from './signer.ts'
import { awsTable } from './table.ts'
import { awsUnwrapper } from './unwrapper.ts'
import { awsUploads } from './uploads.ts'

/** Where a deployment on AWS is and what its parts are called; each of the others has a default. */
export interface AwsOptions {
  readonly region: string
  readonly naming: AwsNaming
  /** Software keys that are not there are made: for what sets a deployment up. Roles make none. */
  readonly makesKeys?: boolean
  /** Of an emulator, for all services or for each. */
  readonly endpoint?: string | Readonly<Partial<Record<AwsService, string>>>
  /** Without them the SDK looks where it always does: environment, role, profile. */
  readonly credentials?: AwsCredentials
  /** Told of each request before it is sent. */
  readonly observe?: (call: AwsCall) => void
  /** How long AWS may take to answer, in milliseconds: 5,000, and 30,000 for S3, where it is left out. */
  readonly answerMs?: number
  readonly now?: Now
  readonly random?: Random
  readonly fetch?: Fetch
}

/**
 * Opens a platform on AWS: DynamoDB, S3, KMS, with one client for each service that is used, loaded when it is first used.
 * Nothing is asked until a port is called, and nothing is made but software keys with `makesKeys`.
 * @throws AmpereError CONFIGURATION for names that cannot be meant
 */
export function openAws(options: AwsOptions): Platform {
  const { region, naming, makesKeys = false } = options
  checkNaming(region, naming)
  const random: Random = options.random ?? ((length) => crypto.getRandomValues(new Uint8Array(length)))
  const clients = openClients(options)
  const { softwareKeys } = naming.keys
  const software = softwareKeys
    ? awsSoftwareKeys({
        kms: clients.kms,
        table: awsTable(clients.dynamodb, softwareKeys.table, random),
        wrappingKey: softwareKeys.wrappingKey,
        random,
        makes: makesKeys,
      })
    : noSoftwareKeys()
  const signers = onceEach<KeyName, Signer>((name) => awsSigner(clients.kms, naming.keys, software, name))
  const unwrappers = onceEach<KeyName, Wrapper>((name) => awsUnwrapper(clients.kms, naming.keys, name))
  const now: Now = options.now ?? (() => Date.now())
  return {
    table: (name) => awsTable(clients.dynamodb, tableName(naming, name), random),
    objects: (name) => awsObjects(clients.s3, bucketName(naming, name)),
    signer: signers,
    unwrapper: unwrappers,
    uploads: awsUploads(clients.s3, () => bucketName(naming, 'uploads'), now),
    now,
    random,
    fetch: options.fetch ?? ((request) => fetch(request)),
    close: clients.close,
  }
}

/** One client for each service; a role that only uses tables never loads the others. */
function openClients({ region, endpoint, credentials, observe, answerMs }: AwsOptions) {
  const opened: { close(): void }[] = []
  const to = (service: AwsService): AwsConnection => ({
    region,
    endpoint: typeof endpoint === 'string' ? endpoint : endpoint?.[service],
    credentials,
    observe,
    answerMs,
  })
  const kept = <T extends { close(): void }>(client: T): T => {
    opened.push(client)
    return client
  }
  return {
    dynamodb: once(async () => kept((await import('./clients/dynamodb.ts')).openDynamo(to('dynamodb')))),
    s3: once(async () => kept((await import('./clients/s3.ts')).openS3(to('s3')))),
    kms: once(async () => kept((await import('./clients/kms.ts')).openKms(to('kms')))),
    close: async () => {
      for (const client of opened) client.close()
    },
  }
}
