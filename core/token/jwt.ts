// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { fromBase64url, fromUtf8, utf8 } from '../bytes/encoding.ts'
import { AmpereError, isAmpereError } from '../errors.ts'
import { CLIENT_ALGORITHMS, type ClientKey } from './client-keys.ts'

/** A JSON Web Token (RFC 7519) as it came: nothing of it is true before its signature was verified. */
export interface Jwt {
  readonly header: v.InferOutput<typeof headerSchema>
  readonly claims: Readonly<Record<string, unknown>>
  /** What was signed: the first two segments with their dot. */
  readonly signed: Uint8Array<ArrayBuffer>
  readonly signature: Uint8Array<ArrayBuffer>
}

/** Keys that the header brings along (`jwk`, `x5c`, `x5u`) are not looked at. */
const headerSchema = v.looseObject({
  // Neither `none` nor a MAC, whose secret would be the public key.
  alg: v.picklist(CLIENT_ALGORITHMS),
  kid: v.pipe(v.string(), v.minLength(1), v.maxLength(256)),
  typ: v.optional(v.pipe(v.string(), v.regex(/^JWT$/i))),
  jku: v.optional(v.string()),
  // RFC 7515 section 4.1.11: an extension that is not understood is refused, and none is.
  crit: v.optional(v.never()),
})
const claimsSchema = v.custom<Readonly<Record<string, unknown>>>(
  (claims) => typeof claims === 'object' && claims !== null && !Array.isArray(claims),
)

/** Characters of a token: an RSA signature of 8,192 bits takes 1,366. */
const MAX_JWT_CHARACTERS = 8192

/** Reads a token in compact form. @throws AmpereError JWS_MALFORMED, saying which part is not as it must be */
export function parseJwt(text: string): Jwt {
  const segments = text.length <= MAX_JWT_CHARACTERS ? text.split('.') : []
  const [first = '', second = '', third = ''] = segments
  if (segments.length !== 3) throw malformed('not three segments of a JWT')
  const header = v.safeParse(headerSchema, jsonIn(first, 'header'), { abortEarly: true })
  if (!header.success) throw malformed(headerFault(header.issues[0]))
  const claims = v.safeParse(claimsSchema, jsonIn(second, 'claims'))
  if (!claims.success) throw malformed('the claims of the JWT are not a JSON object')
  return {
    header: header.output,
    claims: claims.output,
    signed: utf8(`${first}.${second}`),
    signature: bytesIn(third, 'signature'),
  }
}

/** How each algorithm is imported and verified by WebCrypto (RFC 7518 section 3). */
const IMPORTS = {
  RS384: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-384' },
  ES384: { name: 'ECDSA', namedCurve: 'P-384' },
} as const
const VERIFIES = { RS384: { name: 'RSASSA-PKCS1-v1_5' }, ES384: { name: 'ECDSA', hash: 'SHA-384' } } as const

/** Imported keys, as long as whoever reads the set of a client keeps it. */
const IMPORTED = new WeakMap<ClientKey, Promise<CryptoKey | null>>()

/** True when the key, with its own algorithm, verifies the signature. A point that is not on the curve verifies nothing. */
export async function isSignedBy({ header, signed, signature }: Jwt, key: ClientKey): Promise<boolean> {
  if (header.alg !== key.alg) return false
  const importing = IMPORTED.get(key) ?? importKey(key)
  IMPORTED.set(key, importing)
  const imported = await importing
  return imported !== null && crypto.subtle.verify(VERIFIES[key.alg], imported, signature, signed)
}

function importKey({ alg, jwk }: ClientKey): Promise<CryptoKey | null> {
  return crypto.subtle.importKey('jwk', { ...jwk }, IMPORTS[alg], false, ['verify']).catch(() => null)
}

function headerFault(issue: v.BaseIssue<unknown>): string {
  const member = issue.path?.[0]?.key
  if (member === 'alg') return `alg of the JWT is not ${CLIENT_ALGORITHMS.join(' or ')}`
  return typeof member === 'string'
    ? `${member} of the JWT's header is not as it must be`
    : 'the header of the JWT is not a JSON object'
}

function jsonIn(segment: string, what: string): unknown {
  try {
    return JSON.parse(fromUtf8(bytesIn(segment, what))) as unknown
  } catch (cause) {
    if (isAmpereError(cause, 'JWS_MALFORMED')) throw cause
    throw malformed(`the ${what} of the JWT is not JSON`, cause)
  }
}

function bytesIn(segment: string, what: string): Uint8Array<ArrayBuffer> {
  try {
    return fromBase64url(segment)
  } catch (cause) {
    throw malformed(`the ${what} of the JWT is not base64url`, cause)
  }
}

function malformed(what: string, cause?: unknown): AmpereError {
  return new AmpereError('JWS_MALFORMED', what, { cause })
}
