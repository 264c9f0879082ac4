// SPDX-License-Identifier: Apache-2.0
import {
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type DeleteItemCommandInput,
  type GetItemCommandInput,
  type GetItemCommandOutput,
  type PutItemCommandInput,
  type QueryCommandInput,
  type QueryCommandOutput,
} from '@aws-sdk/client-dynamodb'
import { asking, clientConfig, NEXT_TO_CONNECTION, watching, type AwsConnection } from './connection.ts'

/** The four operations of DynamoDB that tables use. They reject with AmpereError. */
export interface Dynamo {
  get(input: GetItemCommandInput): Promise<GetItemCommandOutput>
  query(input: QueryCommandInput): Promise<QueryCommandOutput>
  put(input: PutItemCommandInput): Promise<void>
  remove(input: DeleteItemCommandInput): Promise<void>
  close(): void
}

export function openDynamo(connection: AwsConnection): Dynamo {
  const { config, closeIdle } = clientConfig(connection, 'dynamodb')
  const client = new DynamoDBClient(config)
  client.middlewareStack.add(watching('dynamodb', connection, closeIdle), NEXT_TO_CONNECTION)
  const ask = asking('dynamodb', connection)
  return {
    get: (input) => ask('GetItem', input, () => client.send(new GetItemCommand(input))),
    query: (input) => ask('Query', input, () => client.send(new QueryCommand(input))),
    put: async (input) => void (await ask('PutItem', input, () => client.send(new PutItemCommand(input)))),
    remove: async (input) =>
      void (await ask('DeleteItem', input, () => client.send(new DeleteItemCommand(input)))),
    close: () => client.destroy(),
  }
}
