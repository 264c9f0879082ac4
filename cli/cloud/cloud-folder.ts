// SPDX-License-Identifier: Apache-2.0
import { dirname, join } from 'node:path'
import * as v from 'valibot'
import { replaceFile } from '#adapters/local/store/durable-file.ts'
import { chainId, count, deploymentId, digest } from '#core/bytes/schema.ts'
import { checkPublicJwk } from '#core/crypto/jwk.ts'
import { makeFolder } from '../deployment/files.ts'
import { readAs } from '../deployment/json-file.ts'
import { PROVIDERS, type Provider } from './providers.ts'

const publicKey = v.pipe(
  v.unknown(),
  v.transform((value) => checkPublicJwk(value)),
)

const schema = v.strictObject({
  v: v.literal(1),
  provider: v.picklist(PROVIDERS),
  stage: v.string(),
  region: v.string(),
  /** Of AWS: the account in which it is. */
  account: v.optional(v.string()),
  /** Of Azure: the subscription in which it is. */
  subscription: v.optional(v.string()),
  parameters: v.record(v.string(), v.string()),
  institutions: v.pipe(v.array(v.strictObject({ id: v.string(), name: v.string() })), v.minLength(1)),
  demo: v.boolean(),
  /** The bridge that is deployed; none where it is left out. */
  bridge: v.optional(
    v.strictObject({
      institution: v.string(),
      /** The deployment whose home it uses, such as `aws-prod`, beside which are the institution's keys; null for this one. */
      uses: v.nullable(v.string()),
      /** What is known once it was set up: under which origin it answers, the key that it signs with, and what only its own key opens. */
      made: v.nullable(
        v.strictObject({
          origin: v.string(),
          key: publicKey,
          seeds: v.strictObject({ sealing: v.string(), index: v.string() }),
        }),
      ),
    }),
  ),
  /** The record by which each deployment is tried, once there is one. */
  trial: v.optional(chainId),
  /** Of Azure: where what it keeps is, as the last deployment said. */
  kept: v.optional(
    v.strictObject({
      cosmosEndpoint: v.string(),
      database: v.string(),
      blobEndpoint: v.string(),
      vaultUrl: v.string(),
    }),
  ),
  /** For how many days backups were said to be kept, at most, and for how many its functions state that backups may have what was erased. */
  backups: v.optional(v.strictObject({ days: count, stated: count })),
  /** While a home is moved into it, which then is its home: nothing else is founded there. */
  receives: v.optional(v.boolean()),
  /** What is known once it was set up. */
  home: v.nullable(
    v.strictObject({
      deployment: deploymentId,
      origin: v.string(),
      registry: digest,
      log: v.array(v.string()),
      witness: v.array(v.string()),
      /** Public keys with which its mirror asks other homes, and states what it holds. */
      mirror: v.optional(v.strictObject({ instance: publicKey, head: publicKey })),
    }),
  ),
})

/** What this computer remembers of a deployment in a cloud; no secret is in it. The institutions' keys lie beside it. */
export type CloudDeployment = v.InferOutput<typeof schema>

/** A bridge as it is remembered. */
export type CloudBridge = NonNullable<CloudDeployment['bridge']>

/** Under which origin a deployment is reached, once it was set up. */
export function originOf({ home, bridge }: Pick<CloudDeployment, 'home' | 'bridge'>): string | null {
  return home?.origin ?? bridge?.made?.origin ?? null
}

/** The folder with the home that a bridge uses, and with the keys of its institution. @param folder the bridge's own */
export function homeFolderOf(folder: string, { uses }: Pick<CloudBridge, 'uses'>): string {
  return uses === null ? folder : join(dirname(folder), uses)
}

/** The folder of one deployment: `cloud/aws-prod` in the data folder. */
export function cloudFolder(data: string, provider: Provider, stage: string): string {
  return join(data, 'cloud', `${provider}-${stage}`)
}

/** What is remembered, or null where nothing was deployed from this folder. @throws AmpereError STORE_CORRUPT */
export function readCloudDeployment(folder: string): CloudDeployment | null {
  return readAs(join(folder, 'deployment.json'), schema)
}

/** Replaces it as a whole, durably. */
export function writeCloudDeployment(folder: string, deployment: CloudDeployment): void {
  makeFolder(folder)
  replaceFile(join(folder, 'deployment.json'), `${JSON.stringify(deployment, null, 2)}\n`)
}
