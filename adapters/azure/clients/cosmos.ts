// SPDX-License-Identifier: Apache-2.0
import type { HttpClient, PipelineRequest, PipelineResponse } from '@azure/core-rest-pipeline'
import type { Container, CosmosClient } from '@azure/cosmos'
import { once } from '#core/order/once.ts'
import { credentialFor, silenceLogs, type Identity } from './credential.ts'
import type { AzureNaming } from './naming.ts'
import type { Transport } from './transport.ts'

/** The containers of one database. The package is loaded, and the one client made, when the first is asked for. */
export interface Cosmos {
  container(name: string): Promise<Container>
  close(): void
}

/** How every container of a deployment is partitioned. */
export const PARTITION_PATH = '/pk'

export function openCosmos(naming: AzureNaming, identity: Identity, transport: Transport): Cosmos {
  let closed: CosmosClient | null = null
  const client = once(async () => (closed = await makeClient(naming, identity, transport)))
  return {
    container: async (name) => (await client()).database(naming.database).container(name),
    close: () => closed?.dispose(),
  }
}

async function makeClient(
  { cosmosEndpoint: endpoint }: AzureNaming,
  identity: Identity,
  transport: Transport,
): Promise<CosmosClient> {
  const { CosmosClient: Client } = await import('@azure/cosmos')
  const { createHttpHeaders } = await import('@azure/core-rest-pipeline')
  await silenceLogs()
  const headers = () => createHttpHeaders({ 'content-type': 'application/json' })
  return new Client({
    endpoint,
    ...(identity.emulator
      ? { key: identity.emulator.cosmosKey }
      : { aadCredentials: credentialFor('cosmos', identity) }),
    // A service whose account defaults to less refuses this, so that no read is ever of an older state.
    consistencyLevel: 'Strong',
    httpClient: withoutMetadata(transport.client('cosmos', endpoint), headers),
    connectionPolicy: {
      // One write region, at the account's address: no other address is ever needed, nor a timer to look for one.
      enableEndpointDiscovery: false,
      enableBackgroundEndpointRefreshing: false,
      // The transport's deadline comes first.
      requestTimeout: 600_000,
      // Retries are the caller's.
      retryOptions: {
        maxRetryAttemptCount: 0,
        fixedRetryIntervalInMilliseconds: 0,
        maxWaitTimeInSeconds: 0,
      },
    },
  })
}

/**
 * Answers two requests that the SDK sends beside those for data, because the answers are known: how a container is
 * partitioned, and, with each query, how it would be spread over partitions, which is not looked at for one partition.
 * So a role needs no action for metadata, and a range is one request.
 */
function withoutMetadata(inner: HttpClient, headers: () => PipelineResponse['headers']): HttpClient {
  const answer = (request: PipelineRequest, status: number, body: object): PipelineResponse => ({
    request,
    status,
    headers: headers(),
    bodyAsText: JSON.stringify(body),
  })
  return {
    sendRequest: async (request) => {
      if (request.headers.get('x-ms-cosmos-is-query-plan-request') !== undefined)
        return answer(request, 400, { message: 'every query here is of one partition' })
      const id = /\/colls\/([^/]+)$/.exec(new URL(request.url).pathname)?.[1]
      if (request.method === 'GET' && id !== undefined)
        return answer(request, 200, {
          id,
          partitionKey: { paths: [PARTITION_PATH], kind: 'Hash', version: 2 },
        })
      return inner.sendRequest(request)
    },
  }
}
