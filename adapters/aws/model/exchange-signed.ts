// SPDX-License-Identifier: Apache-2.0
import type { ConverseCommand, ConverseCommandOutput } from '@aws-sdk/client-bedrock-runtime'
import type { Fetch } from '#core/ports/keys.ts'
import { modelEndpoint } from '#adapters/model/endpoint.ts'
import { exchange } from '#adapters/model/exchange.ts'
import { failureNamed } from './converse.ts'

/** What the SDK has signed, as far as it is sent on. */
interface Signed {
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array<ArrayBuffer> | string
}

/** fetch makes these itself, to the same values. */
const MADE_BY_FETCH: ReadonlySet<string> = new Set(['host', 'content-length'])

/**
 * Has `command` sent through the port once the SDK has signed it; the result gives the JSON that came back. The SDK reads
 * nothing of the answer: it would hold any number of bytes, and make numbers into objects, one of `1e99999999` into as many digits.
 */
export function exchangeSigned(command: ConverseCommand, fetch: Fetch, signal: AbortSignal): () => unknown {
  let said: unknown
  command.middlewareStack.add(
    () =>
      async ({ request }) => {
        said = await exchange(fetch, requestOf(request as Signed), { signal, named: failureNamed })
        return { response: {}, output: { $metadata: {} } as ConverseCommandOutput }
      },
    { step: 'deserialize', priority: 'high', name: 'exchangeSigned' },
  )
  return () => said
}

function requestOf({ protocol, hostname, port, path, headers, body }: Signed) {
  // Checked here too, as the SDK takes addresses from the environment.
  const origin = modelEndpoint(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`)
  const sent = Object.entries(headers).filter(([name]) => !MADE_BY_FETCH.has(name.toLowerCase()))
  return { url: new URL(path, origin), init: { headers: Object.fromEntries(sent), body } }
}
