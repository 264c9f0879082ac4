// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { APPEND_TYPE } from '#core/api/append.ts'
import { authorize } from '#core/api/request.ts'
import type { Signer } from '#core/ports/keys.ts'
import { makeSigner, ORIGIN, type TestDeployment } from '#tests/deployment.ts'
import type { Exchange } from '../conversation.ts'
import { CANARY, scar, scars, type Scars } from './mutate.ts'

/** What is sent differently from a request that was answered well. */
export interface Deviation {
  readonly path: Readonly<Record<string, string>>
  readonly isRawPath: boolean
  readonly query: readonly (readonly [string, string])[]
  readonly headers: Readonly<Record<string, string>>
  readonly method: string | null
  readonly signer: 'instance' | 'root' | 'stranger' | 'nobody'
  readonly body: Scars | null
}

/** Text as it turns up in paths and queries of programs that are wrong. */
const oddText = fc.oneof(
  fc.constantFrom('', '.', '..', '%', '%2F', '%00', '//', '?', '#', CANARY, `${CANARY}/../x`, 'all', 'null'),
  fc.constantFrom('rules', `institution/${CANARY}`, 'institution/hospital-a', 'key/', 'A'.repeat(43)),
  fc.constant('A'.repeat(9000)),
  fc.string({ maxLength: 40 }),
  fc.string({ maxLength: 40, unit: 'binary' }),
  fc.base64String({ minLength: 40, maxLength: 48 }),
  fc.nat().map(String),
)
const headerText = fc.oneof(
  fc.constantFrom(CANARY, 'Ampere', `Ampere ${CANARY}`, 'Ampere a.b.c', 'bytes=0-5', 'bytes=5-'),
  fc.constantFrom(APPEND_TYPE, 'application/jose', '0', '-1', '99999999999', 'gzip', 'bytes=99999999-'),
  fc.string({ maxLength: 40 }).map((text) => text.replaceAll(/[^\x20-\x7e]/g, '').trim()),
)
const headerNames = fc.constantFrom(
  'authorization',
  'range',
  'if-range',
  'content-type',
  'content-encoding',
  'content-length',
  'expect',
)
const queries = fc.tuple(fc.constantFrom('from', 'limit', 'wait', CANARY), oddText)

/** Most requests differ in one or two ways only, so that they get somewhere. */
export const deviations: fc.Arbitrary<Deviation> = fc.record({
  path: rarely<Record<string, string>>(
    {},
    fc.dictionary(fc.constantFrom('chain', 'name', 'root', 'key'), oddText, { minKeys: 1, maxKeys: 2 }),
  ),
  isRawPath: rarely(false, fc.constant(true)),
  query: rarely<(readonly [string, string])[]>([], fc.array(queries, { minLength: 1, maxLength: 2 })),
  headers: rarely<Record<string, string>>(
    {},
    fc.dictionary(headerNames, headerText, { minKeys: 1, maxKeys: 2 }),
  ),
  method: rarely<string | null>(
    null,
    fc.constantFrom('GET', 'POST', 'HEAD', 'OPTIONS', 'DELETE', 'PUT', 'PATCH'),
  ),
  signer: rarely<Deviation['signer']>('instance', fc.constantFrom('root', 'stranger', 'nobody')),
  body: rarely<Scars | null>(null, scars),
})

function rarely<T>(usual: T, other: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ weight: 5, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other })
}

/** A request that differs from a good one as told, or null where the platform cannot even make it. */
export async function deviating(
  world: TestDeployment,
  exchange: Exchange,
  given: Deviation,
): Promise<Request | null> {
  const { operation, asking } = exchange
  try {
    const url = urlOf(exchange, given)
    const headers = new Headers(operation.body ? { 'content-type': operation.body.type } : {})
    const signer = await signerOf(world, given.signer)
    const ports = { now: () => world.clock.now, random: world.random }
    const body = asking.body && given.body ? scar(asking.body, given.body) : asking.body
    if (signer) {
      const isPosted = operation.method === 'POST' && operation.signed
      const request = {
        method: isPosted ? ('POST' as const) : ('GET' as const),
        url,
        body: (isPosted ? body : null) ?? new Uint8Array(0),
      }
      headers.set('authorization', await authorize(request, { ...ports, signer }))
    }
    for (const [name, value] of Object.entries({ ...asking.headers, ...given.headers }))
      headers.set(name, value)
    const method = given.method ?? operation.method
    const hasBody = body !== undefined && !['GET', 'HEAD'].includes(method)
    return new Request(url, { method, headers, ...(hasBody ? { body } : {}) })
  } catch (error) {
    if (error instanceof TypeError || error instanceof URIError) return null
    throw error
  }
}

function urlOf({ operation, asking }: Exchange, given: Deviation): URL {
  const encode = given.isRawPath ? (text: string) => text : encodeURIComponent
  const path = operation.pattern.replaceAll(/:(\w+)(?:\{[^}]*\})?/g, (_, name: string) => {
    const odd = given.path[name]
    return odd === undefined ? (asking.path?.[name] ?? '') : encode(odd)
  })
  const usual = Object.entries(asking.query ?? {}).map(([name, value]) => [name, String(value)] as const)
  const query = new URLSearchParams([...usual, ...given.query].map(([name, value]) => [name, value]))
  return new URL(query.size > 0 ? `${path}?${query.toString()}` : path, ORIGIN)
}

async function signerOf(world: TestDeployment, which: Deviation['signer']): Promise<Signer | null> {
  const { instance, root } = world.institution('hospital-a')
  if (which === 'instance') return instance
  if (which === 'root') return root
  return which === 'stranger' ? makeSigner(world.random) : null
}
