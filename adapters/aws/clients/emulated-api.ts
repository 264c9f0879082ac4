// SPDX-License-Identifier: Apache-2.0
import { request as send } from 'node:http'
import type { Fetch } from '#core/ports/keys.ts'

/** What an HTTP API is called: by AWS, and by emulators, whose names no server of names knows. */
const API_HOST = /^[a-z0-9]+\.execute-api\./

/**
 * Fetch, but where AWS_ENDPOINT_URL names another place for all of AWS, as an emulator is, HTTP APIs are asked there under their own
 * host names.
 */
export function fetchByApi(env: Readonly<Record<string, string | undefined>>): Fetch {
  const endpoint = env['AWS_ENDPOINT_URL']
  if (endpoint === undefined || !endpoint.startsWith('http://')) return (request) => fetch(request)
  return async (request) => {
    const { host, pathname, search } = new URL(request.url)
    if (!API_HOST.test(host)) return fetch(request)
    // Fetch lets nobody choose the host name.
    const headers = { ...Object.fromEntries(request.headers), host }
    const body = Buffer.from(await request.arrayBuffer())
    return exchange(new URL(`${pathname}${search}`, endpoint), request.method, headers, body)
  }
}

function exchange(
  url: URL,
  method: string,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const sent = send(url, { method, headers: { ...headers, 'content-length': body.length } }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', reject)
      answer.on('end', () => {
        const status = answer.statusCode ?? 502
        const named = Object.entries(answer.headers).map(([name, value]) => [name, String(value)])
        const bytes = status === 204 || status === 304 || method === 'HEAD' ? null : Buffer.concat(chunks)
        resolve(new Response(bytes, { status, headers: Object.fromEntries(named) as Record<string, string> }))
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
