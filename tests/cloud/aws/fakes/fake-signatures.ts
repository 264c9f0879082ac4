// SPDX-License-Identifier: Apache-2.0
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { AwsIdentity } from '#adapters/aws/clients/connection.ts'
import type { Fetch } from '#core/ports/keys.ts'

const ALGORITHM = 'AWS4-HMAC-SHA256'
/** RFC 3986: what Signature Version 4 leaves as it is, and JavaScript does not, or the other way round. */
const encoded = (text: string) =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()

/**
 * What S3 checks of a presigned request before it looks at anything else, and MiniStack does not: a fake, written from AWS's
 * "Authenticating requests: using query parameters (Signature Version 4)" and not from the SDK. What it lets pass goes on.
 */
export function checkingSignatures({ accessKeyId, secretAccessKey }: AwsIdentity): Fetch {
  return async (request) => {
    const url = new URL(request.url)
    const body = new Uint8Array(await request.arrayBuffer())
    const headers = new Map([...request.headers].map(([name, value]) => [name.toLowerCase(), value.trim()]))
    headers.set('host', url.host).set('content-length', String(body.length))
    const given = (name: string) => url.searchParams.get(`X-Amz-${name}`) ?? ''
    const [key, day = '', region = '', service = '', end] = given('Credential').split('/')
    const signed = given('SignedHeaders').split(';')
    if (given('Algorithm') !== ALGORITHM || key !== accessKeyId || end !== 'aws4_request')
      return refused('AuthorizationQueryParametersError', 400)
    const loose = [...headers.keys()].filter((name) => name.startsWith('x-amz-') && !signed.includes(name))
    if (loose.length > 0 || !signed.includes('host')) return refused('AccessDenied', 403)
    const canonical = [
      request.method,
      url.pathname,
      [...url.searchParams]
        .filter(([name]) => name !== 'X-Amz-Signature')
        .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
        .toSorted()
        .join('&'),
      ...signed.map((name) => `${name}:${headers.get(name) ?? ''}`),
      '',
      given('SignedHeaders'),
      'UNSIGNED-PAYLOAD',
    ].join('\n')
    const text = [
      ALGORITHM,
      given('Date'),
      [day, region, service, end].join('/'),
      createHash('sha256').update(canonical).digest('hex'),
    ].join('\n')
    const signing = [day, region, service, end].reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`)
    const [is, should] = [Buffer.from(given('Signature'), 'hex'), hmac(signing, text)]
    if (is.length !== should.length || !timingSafeEqual(is, should))
      return refused('SignatureDoesNotMatch', 403)
    if (Date.now() > dateOf(given('Date')) + Number(given('Expires')) * 1000)
      return refused('AccessDenied', 403)
    return fetch(url, { method: request.method, headers: request.headers, body })
  }
}

/** `20261129T101500Z` */
function dateOf(text: string): number {
  return Date.parse(text.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3:$4:$5Z'))
}

function refused(code: string, status: number): Response {
  return new Response(`<Error><Code>${code}</Code></Error>`, { status })
}
