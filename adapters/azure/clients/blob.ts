// SPDX-License-Identifier: Apache-2.0
import type * as pipelines from '@azure/core-rest-pipeline'
import type { HttpClient } from '@azure/core-rest-pipeline'
import type {
  ContainerClient,
  IHttpClient,
  Pipeline,
  RequestPolicyFactory,
  ServiceGetUserDelegationKeyResponse,
} from '@azure/storage-blob'
import { createHash } from 'node:crypto'
import { once } from '#core/order/once.ts'
import { credentialFor, silenceLogs, type Identity } from './credential.ts'
import type { AzureNaming } from './naming.ts'
import type { Transport } from './transport.ts'

/** The blob containers of one account. The package is loaded when the first is asked for. */
export interface Blobs {
  container(name: string): Promise<ContainerClient>
  /** A key that signs with the rights of this identity, from and until when it says. */
  delegationKey(startsOn: Date, expiresOn: Date): Promise<ServiceGetUserDelegationKeyResponse>
}

export function openBlobs(naming: AzureNaming, identity: Identity, transport: Transport): Blobs {
  const pipeline = once(() => makePipeline(naming, identity, transport))
  const endpoint = naming.blobEndpoint.replace(/\/$/, '')
  return {
    container: async (name) => {
      const { ContainerClient: Client } = await import('@azure/storage-blob')
      return new Client(`${endpoint}/${name}`, await pipeline())
    },
    delegationKey: async (startsOn, expiresOn) => {
      const { BlobServiceClient: Client } = await import('@azure/storage-blob')
      return new Client(endpoint, await pipeline()).getUserDelegationKey(startsOn, expiresOn)
    },
  }
}

async function makePipeline(
  naming: AzureNaming,
  identity: Identity,
  transport: Transport,
): Promise<Pipeline> {
  const { newPipeline, StorageSharedKeyCredential } = await import('@azure/storage-blob')
  const rest = await import('@azure/core-rest-pipeline')
  await silenceLogs()
  const { emulator } = identity
  const pipeline = newPipeline(
    emulator
      ? new StorageSharedKeyCredential(emulator.blobAccount, emulator.blobKey)
      : credentialFor('blob', identity),
    {
      httpClient: older(transport.client('blob', naming.blobEndpoint), rest),
      // Retries are the caller's.
      retryOptions: { maxTries: 1 },
    },
  )
  pipeline.factories.push(DIGESTED)
  return pipeline
}

/**
 * Puts the MD5 of what is uploaded beside it: the service refuses bytes that were damaged on the way. It protects against
 * nobody, which hashes in signed blocks do. The package has it for blocks, but not for blobs that are sent at once.
 */
const DIGESTED: RequestPolicyFactory = {
  create: (next) => ({
    sendRequest: (request) => {
      if (request.method === 'PUT' && Buffer.isBuffer(request.body))
        request.headers.set('Content-MD5', createHash('md5').update(request.body).digest('base64'))
      return next.sendRequest(request)
    },
  }),
}

type Rest = Pick<typeof pipelines, 'createHttpHeaders' | 'createPipelineRequest'>

/** This package takes a client of the SDKs' older shape. */
function older(client: HttpClient, { createHttpHeaders, createPipelineRequest }: Rest): IHttpClient {
  return {
    sendRequest: async (request) => {
      const response = await client.sendRequest(
        createPipelineRequest({
          url: request.url,
          method: request.method,
          headers: createHttpHeaders(request.headers.toJson({ preserveCase: true })),
          body: request.body,
          allowInsecureConnection: request.url.startsWith('http:'),
          ...(request.abortSignal ? { abortSignal: request.abortSignal } : {}),
          ...(request.streamResponseStatusCodes
            ? { streamResponseStatusCodes: request.streamResponseStatusCodes }
            : {}),
        }),
      )
      // Of headers in the older shape the package calls `toJson` alone.
      const headers = { toJson: () => response.headers.toJSON() }
      return { ...response, request, headers } as unknown as Awaited<ReturnType<IHttpClient['sendRequest']>>
    },
  }
}
