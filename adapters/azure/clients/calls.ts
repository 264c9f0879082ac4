// SPDX-License-Identifier: Apache-2.0
import type { PipelineRequest } from '@azure/core-rest-pipeline'
import type { AzureService } from './naming.ts'

/**
 * One request to Azure: `operation` is the data action that it needs in role-based access control, `resource` the end of
 * the scope at which that is assigned, for example `dbs/ampere/colls/blocks`, and empty for the account itself.
 */
export interface AzureCall {
  readonly service: AzureService
  readonly operation: string
  readonly resource: string
}

const COSMOS = 'Microsoft.DocumentDB/databaseAccounts'
const CONTAINERS = `${COSMOS}/sqlDatabases/containers`
const BLOBS = 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs'
/** Of the account, not of a container: it is an action and no data action, and is assigned there. */
const DELEGATE = 'Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action'
const KEYS = 'Microsoft.KeyVault/vaults/keys'

type Actions = Readonly<Record<string, string>>
const ITEM_ACTIONS: Actions = {
  GET: `${CONTAINERS}/items/read`,
  POST: `${CONTAINERS}/items/create`,
  PUT: `${CONTAINERS}/items/replace`,
  DELETE: `${CONTAINERS}/items/delete`,
}
const BLOB_ACTIONS: Actions = { PUT: `${BLOBS}/write`, DELETE: `${BLOBS}/delete` }
const KEY_ACTIONS: Actions = {
  sign: `${KEYS}/sign/action`,
  wrapkey: `${KEYS}/wrap/action`,
  unwrapkey: `${KEYS}/unwrap/action`,
}

/** What a request asks of whom. `endpoint` is the service's address, whose path comes before that of each request. */
export function callOf(service: AzureService, endpoint: URL, request: PipelineRequest): AzureCall {
  const path = new URL(request.url).pathname.slice(endpoint.pathname.replace(/\/$/, '').length)
  const parts = path.split('/').slice(1)
  return { service, ...OF_SERVICE[service](parts, request) }
}

type Asked = Omit<AzureCall, 'service'>

const OF_SERVICE: Readonly<
  Record<AzureService, (parts: readonly string[], request: PipelineRequest) => Asked>
> = {
  // /dbs/DATABASE/colls/CONTAINER/docs/ID
  cosmos: (parts, { method, headers }) => {
    const isQuery = headers.get('x-ms-documentdb-isquery')?.toLowerCase() === 'true'
    const action = isQuery ? `${CONTAINERS}/executeQuery` : ITEM_ACTIONS[method]
    const operation = parts[4] === 'docs' && action !== undefined ? action : `${COSMOS}/readMetadata`
    return { operation, resource: parts.slice(0, 4).join('/') }
  },
  // /CONTAINER/NAME
  blob: ([container], { method, url }) =>
    new URL(url).searchParams.get('comp') === 'userdelegationkey'
      ? { operation: DELEGATE, resource: '' }
      : {
          operation: BLOB_ACTIONS[method] ?? `${BLOBS}/read`,
          resource: `blobServices/default/containers/${container ?? ''}`,
        },
  // /keys/NAME/VERSION/sign
  vault: ([, key, , action]) => ({
    operation: KEY_ACTIONS[action?.toLowerCase() ?? ''] ?? `${KEYS}/read`,
    resource: `keys/${key ?? ''}`,
  }),
}
