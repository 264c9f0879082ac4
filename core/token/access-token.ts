// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { canonicalBytes } from '../bytes/canonical-json.ts'
import { fromBase64url, fromUtf8, toBase64url, utf8 } from '../bytes/encoding.ts'
import { count } from '../bytes/schema.ts'
import { hkdfExpand } from '../crypto/hkdf.ts'
import { AmpereError } from '../errors.ts'

/** For how long a token is good, in seconds (SMART App Launch 2: at most 300). */
export const TOKEN_SECONDS = 300

const word = v.pipe(v.string(), v.maxLength(256))
const claimsSchema = v.strictObject({
  v: v.literal(1),
  /** Names the token, for whoever revokes it. */
  id: word,
  client: word,
  /** The registration of the client that it was issued to; another one of the same name has another. */
  registration: word,
  /** As `formatScopes` writes them. */
  scope: v.string(),
  /** Seconds since 1970. */
  iat: count,
  exp: count,
})

/** What a token says. It means nothing to clients, who only bring it back. */
export type AccessClaims = Omit<v.InferOutput<typeof claimsSchema>, 'v'>

/** Makes tokens and knows its own again: whoever has the secret does, without asking whoever made them. */
export interface AccessTokens {
  issue(claims: AccessClaims): Promise<string>
  /** What a token says, also one that has expired. @throws AmpereError UNAUTHORIZED for what was not issued with this secret */
  open(token: string): Promise<AccessClaims>
}

const SHAPE = /^([A-Za-z0-9_-]{1,12000})\.([A-Za-z0-9_-]{43})$/

/**
 * Tokens under HMAC-SHA-256 (RFC 2104) with a key of their own, derived from `secret` (32 bytes) with HKDF-Expand.
 * `use` tells the tokens of one endpoint from those of another that has the same secret.
 */
export function createAccessTokens(secret: Uint8Array, use: string): AccessTokens {
  const key = hkdfExpand('SHA-256', secret, utf8(`ampere-access-token/v1/${use}`), 32)
  const importing = crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
    'verify',
  ])
  return {
    issue: async (claims) => {
      const bytes = canonicalBytes({ v: 1, ...claims })
      const mac = await crypto.subtle.sign('HMAC', await importing, bytes)
      return `${toBase64url(bytes)}.${toBase64url(new Uint8Array(mac))}`
    },
    open: async (token) => {
      const foreign = new AmpereError('UNAUTHORIZED', 'the access token is not one of this endpoint')
      const [, said = '', mac = ''] = SHAPE.exec(token) ?? []
      const [bytes, signature] = [decoded(said), decoded(mac)]
      // WebCrypto compares in constant time.
      const isOurs =
        bytes && signature && (await crypto.subtle.verify('HMAC', await importing, signature, bytes))
      if (isOurs !== true) throw foreign
      const { v: _, ...claims } = v.parse(claimsSchema, JSON.parse(fromUtf8(bytes)))
      return claims
    },
  }
}

function decoded(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return text === '' ? null : fromBase64url(text)
  } catch {
    return null
  }
}
