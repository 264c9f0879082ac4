// SPDX-License-Identifier: Apache-2.0
import type { TokenCredential } from '@azure/identity'
import { noToken } from '../errors.ts'
import type { AzureService } from './naming.ts'

/** Keys of emulators, which know no identities. Real accounts have theirs switched off. */
export interface EmulatorKeys {
  readonly cosmosKey: string
  readonly blobAccount: string
  readonly blobKey: string
}

/** Who asks Azure. */
export interface Identity {
  readonly credential: TokenCredential
  /** For Cosmos DB and Blob Storage in place of the credential. */
  readonly emulator: EmulatorKeys | null
}

/** The same credential, whose failures leave as the AmpereError of the service that wanted the token. */
export function credentialFor(service: AzureService, { credential }: Identity): TokenCredential {
  return {
    getToken: async (scopes, options) => {
      try {
        return await credential.getToken(scopes, options)
      } catch (error) {
        throw noToken(service, error)
      }
    },
  }
}

/**
 * The SDKs write requests, data included, to standard error where AZURE_LOG_LEVEL asks for it; here they never do. To be
 * called after a client's package was loaded, which is when that variable is read.
 */
export async function silenceLogs(): Promise<void> {
  const { setLogLevel } = await import('@azure/logger')
  setLogLevel()
}
