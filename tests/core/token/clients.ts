// SPDX-License-Identifier: Apache-2.0
// A client of an EHR's making: it signs with Node's own cryptography, none of which is ours.
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'

/** A key pair of a client, as it would publish the public half. */
export interface ClientKeyPair {
  readonly alg: string
  readonly privateKey: KeyObject
  readonly jwk: Record<string, unknown>
}

export function rsaPair(kid: string, bits = 2048, alg = 'RS384'): ClientKeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: bits })
  return { alg, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid } }
}

export function ecPair(kid: string, namedCurve = 'P-384', alg = 'ES384'): ClientKeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve })
  return { alg, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid } }
}

const segment = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A JWT signed with a key; `header` and `claims` are taken as they are. */
export function signJwt(pair: ClientKeyPair, header: object, claims: object): string {
  const text = `${segment(header)}.${segment(claims)}`
  const hash = `sha${pair.alg.slice(2)}`
  const signature = sign(hash, Buffer.from(text), { key: pair.privateKey, dsaEncoding: 'ieee-p1363' })
  return `${text}.${signature.toString('base64url')}`
}

/** The assertion of a client that does everything right, with what is changed of it. */
export function assertion(
  pair: ClientKeyPair,
  about: { readonly client: string; readonly aud: unknown; readonly nowMs: number; readonly jti: string },
  changed: { readonly header?: object; readonly claims?: object } = {},
): string {
  const { client, aud, nowMs, jti } = about
  const header = { alg: pair.alg, kid: pair.jwk['kid'], typ: 'JWT', ...changed.header }
  const exp = Math.floor(nowMs / 1000) + 240
  return signJwt(pair, header, { iss: client, sub: client, aud, exp, jti, ...changed.claims })
}
