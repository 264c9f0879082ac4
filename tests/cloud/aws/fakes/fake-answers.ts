// SPDX-License-Identifier: Apache-2.0
import type { ServerResponse } from 'node:http'
import type { AwsService } from '#adapters/aws/clients/calls.ts'

/** How a service says no: the error's name and the status. */
export interface No {
  readonly status: number
  readonly name: string
  readonly message?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Writes an error as the service does: DynamoDB and KMS in JSON, S3 in XML. */
export function refuse(
  service: AwsService,
  response: ServerResponse,
  { status, name, message = '', headers = {} }: No,
): void {
  const isXml = service === 's3'
  const body = isXml
    ? `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${name}</Code><Message>${message}</Message></Error>`
    : JSON.stringify({ __type: `com.amazonaws.fake#${name}`, message })
  const type = isXml ? 'application/xml' : 'application/x-amz-json-1.0'
  response.writeHead(status, { 'content-type': type, 'x-amzn-requestid': 'fake', ...headers }).end(body)
}
