// SPDX-License-Identifier: Apache-2.0
import type * as storage from '@azure/storage-blob'
import type { ServiceGetUserDelegationKeyResponse } from '@azure/storage-blob'
import type { Now } from '#core/ports/keys.ts'
import type { Blobs } from './blob.ts'
import type { AzureCall } from './calls.ts'
import type { Identity } from './credential.ts'

/** Signs that a blob of one container may be created. */
export interface UploadSigner {
  /** @returns the URL to put it to, until `expiresOn` */
  sign(blob: string, expiresOn: Date): Promise<string>
}

/** The version by whose rules it is signed; another SDK must not change what is signed unseen. */
const SIGNED_VERSION = '2024-11-04'
/** For how long a key is asked for, in milliseconds: two hours. Seven days are allowed; who has it signs with this identity's rights. */
const KEY_MS = 2 * 3_600_000
/** How far clocks may differ, in milliseconds: a key is valid from so long ago. */
const SKEW_MS = 10 * 60_000

type Key = ServiceGetUserDelegationKeyResponse

/**
 * Signs with a key that Azure gives to this process's identity (user delegation), so that a signature allows no more than the
 * identity itself may; of an emulator, which knows no identities, with its published key.
 * @param observe told of the request that a signature allows, because it is sent with the rights of this identity
 */
export function uploadSigner(
  blobs: Blobs,
  container: string,
  identity: Identity,
  { now, observe }: { readonly now: Now; readonly observe: (call: AzureCall) => void },
): UploadSigner {
  let kept: { readonly key: Promise<Key>; readonly untilMs: number } | null = null
  const keyUntil = (expiresMs: number): Promise<Key> => {
    if (kept && kept.untilMs >= expiresMs) return kept.key
    const nowMs = now()
    const untilMs = Math.max(nowMs + KEY_MS, expiresMs)
    const key = blobs.delegationKey(new Date(nowMs - SKEW_MS), new Date(untilMs))
    const mine = { key, untilMs }
    kept = mine
    key.catch(() => {
      if (kept === mine) kept = null
    })
    return key
  }
  return {
    sign: async (blob, expiresOn) => {
      const to = (await blobs.container(container)).getBlockBlobClient(blob)
      const sdk = await import('@azure/storage-blob')
      const values = {
        containerName: container,
        blobName: blob,
        // Not `write`, which would let it be replaced.
        permissions: sdk.BlobSASPermissions.parse('c'),
        expiresOn,
        protocol: to.url.startsWith('https:') ? sdk.SASProtocol.Https : sdk.SASProtocol.HttpsAndHttp,
        version: SIGNED_VERSION,
      }
      const query = identity.emulator
        ? sdk.generateBlobSASQueryParameters(values, sharedKey(sdk, identity.emulator))
        : sdk.generateBlobSASQueryParameters(values, await keyUntil(expiresOn.getTime()), to.accountName)
      observe({
        service: 'blob',
        operation: 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write',
        resource: `blobServices/default/containers/${container}`,
      })
      return `${to.url}?${query.toString()}`
    },
  }
}

function sharedKey(sdk: typeof storage, { blobAccount, blobKey }: NonNullable<Identity['emulator']>) {
  return new sdk.StorageSharedKeyCredential(blobAccount, blobKey)
}
