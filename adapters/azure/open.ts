// SPDX-License-Identifier: Apache-2.0
import type { HttpClient } from '@azure/core-rest-pipeline'
import type { TokenCredential } from '@azure/identity'
import type { Fetch, Now, Random } from '#core/ports/keys.ts'
import type { Platform } from '#core/ports/needs.ts'
import { openBlobs } from './clients/blob.ts'
import type { AzureCall } from './clients/calls.ts'
import { openCosmos } from './clients/cosmos.ts'
import type { EmulatorKeys } from './clients/credential.ts'
import { checkNaming, type AzureNaming } from './clients/naming.ts'
import { uploadSigner } from './clients/signed-upload.ts'
import { openTransport, TIME_LIMITS, type TimeLimits } from './clients/transport.ts'
import { openVault } from './clients/vault.ts'
import { openKeys } from './keys/open-keys.ts'
import { azureObjects } from './objects.ts'
import { azureTable } from './table.ts'
import { azureUploads } from './uploads.ts'

export type { AzureCall } from './clients/calls.ts'
export type { AzureNaming } from './clients/naming.ts'

/** Where a deployment on Azure is, and who asks. */
export interface AzureOptions {
  readonly naming: AzureNaming
  /** The identity of this process; a role has one of its own, with the rights that its needs name. */
  readonly credential: TokenCredential
  /** In place of the credential for Cosmos DB and Blob Storage, which emulators check by keys. */
  readonly emulator?: EmulatorKeys
  /** Make software keys that are not kept yet. Only what sets a deployment up does. */
  readonly makesKeys?: boolean
  /** Called once for each request, before it is sent. */
  readonly observe?: (call: AzureCall) => void
  readonly limits?: Partial<TimeLimits>
  /** Sends requests in place of Node's own client: the tests' way to fakes. */
  readonly send?: HttpClient
  readonly now?: Now
  readonly random?: Random
  readonly fetch?: Fetch
}

/**
 * Opens a platform on Azure: Cosmos DB NoSQL, Blob Storage, Key Vault. Containers and vault keys are there before. Nothing
 * is asked and no SDK is loaded until a table, store or key is used; there is one client for each service.
 * @throws AmpereError CONFIGURATION for a naming that cannot be right
 */
export function openAzure(options: AzureOptions): Platform {
  const { naming, credential, emulator = null } = options
  checkNaming(naming)
  const random: Random = options.random ?? ((length) => crypto.getRandomValues(new Uint8Array(length)))
  const now: Now = options.now ?? (() => Date.now())
  const observe = options.observe ?? (() => {})
  const transport = openTransport({
    observe,
    limits: { ...TIME_LIMITS, ...options.limits },
    send: options.send ?? null,
  })
  const identity = { credential, emulator }
  const cosmos = openCosmos(naming, identity, transport)
  const blobs = openBlobs(naming, identity, transport)
  const keys = openKeys(naming.keys, {
    vault: openVault(naming, identity, transport),
    seeds: azureTable(() => cosmos.container(naming.keys.software.container)),
    random,
    makes: options.makesKeys === true,
  })
  const uploads = uploadSigner(blobs, `${naming.blobPrefix ?? ''}uploads`, identity, { now, observe })
  return {
    table: (name) => azureTable(() => cosmos.container(`${naming.containerPrefix ?? ''}${name}`)),
    objects: (name) => azureObjects(() => blobs.container(`${naming.blobPrefix ?? ''}${name}`)),
    signer: (name) => keys.signer(name),
    unwrapper: (name) => keys.unwrapper(name),
    uploads: azureUploads(uploads, now),
    now,
    random,
    fetch: options.fetch ?? ((request) => fetch(request)),
    close: async () => {
      cosmos.close()
      transport.close()
    },
  }
}
