// SPDX-License-Identifier: Apache-2.0
import { canonicalize, parseCanonical, type Json } from '../bytes/canonical-json.ts'
import { fromBase64url, fromUtf8, toBase64url, utf8 } from '../bytes/encoding.ts'
import type { Digest, Kid } from '../bytes/ids.ts'
import { asKid } from '../bytes/ids.ts'
import { digestOf } from '../crypto/hash.ts'
import { algorithmOf, thumbprint } from '../crypto/jwk.ts'
import type { Verifiers } from '../crypto/signature.ts'
import { AmpereError } from '../errors.ts'
import type { PublicJwk, SignatureAlgorithm, Signer } from '../ports/keys.ts'

/** One `typ` per kind of statement, so that a signature of one kind never passes as another. */
export const JWS_TYPES = [
  'ampere-block+jws',
  'ampere-approval+jws',
  'ampere-head+jws',
  'ampere-erased+jws',
  'ampere-registry+jws',
  'ampere-registry-approval+jws',
  'ampere-revocation+jws',
  'ampere-registry-proposal+jws',
  'ampere-registry-withdrawal+jws',
  'ampere-request+jws',
  'ampere-pairing+jws',
  'ampere-claim+jws',
  'ampere-lookup+jws',
  'ampere-enrolment+jws',
  'ampere-enrolment-answer+jws',
] as const
export type JwsType = (typeof JWS_TYPES)[number]

/** A compact JWS that passed every check that needs no key. Its signature is still unchecked. */
export interface OpenedJws {
  readonly compact: string
  readonly alg: SignatureAlgorithm
  readonly kid: Kid
  readonly payload: Json
  readonly signingInput: Uint8Array
  readonly signature: Uint8Array
  /** SHA-256 of the signing input: the same however often it is signed. */
  readonly id: Digest
}

const NONE: ReadonlySet<string> = new Set()

type JwsHeader = Pick<OpenedJws, 'alg' | 'kid'>

/** Bytes of a compact JWS, signature included. Part of the format (docs/PROTOCOL.md, Limits). */
export const MAX_JWS_BYTES = 128 * 1024
/** Bytes of a compact revocation statement, which has six short members. Part of the format. */
export const MAX_REVOCATION_BYTES = 2048
const SIGNATURE_BYTES: Record<SignatureAlgorithm, number> = { ES256: 64, Ed25519: 64, 'ML-DSA-44': 2420 }

/**
 * Parses a compact JWS (RFC 7515 section 7.1) so strictly that one statement has one spelling:
 * three segments that re-encode to themselves, header and payload in RFC 8785 form, header exactly
 * `alg`, `kid`, `typ`. The payload of one whose id is in `admitted`, which was parsed so before, is only read.
 * @throws AmpereError JWS_MALFORMED
 */
export function parseJws(
  compact: string,
  typ: JwsType,
  maxBytes: number = MAX_JWS_BYTES,
  admitted: ReadonlySet<string> = NONE,
): OpenedJws {
  if (compact.length > maxBytes) throw malformed(`longer than ${maxBytes} bytes`)
  const segments = compact.split('.')
  const [header, payload, signature] = segments
  if (segments.length !== 3 || !header || !payload || !signature) throw malformed('not three segments')
  const { alg, kid } = headerOf(header, typ)
  const signatureBytes = decode(signature)
  if (signatureBytes.length !== SIGNATURE_BYTES[alg]) throw malformed('signature has a wrong length')
  const signingInput = utf8(`${header}.${payload}`)
  const id = digestOf(signingInput)
  const bytes = decode(payload)
  const said = admitted.has(id) ? readPart(bytes, 'payload') : parsePart(bytes, 'payload')
  return { compact, alg, kid, payload: said, signingInput, signature: signatureBytes, id }
}

/**
 * Checks the signature with the key that registry or control state name for the header's `kid`.
 * @throws AmpereError SIGNATURE_INVALID, also when the key is not the one the header names
 */
export async function verifyJws(jws: OpenedJws, key: PublicJwk, verifiers: Verifiers): Promise<void> {
  if (algorithmOf(key) !== jws.alg || thumbprint(key) !== jws.kid) {
    throw new AmpereError('SIGNATURE_INVALID', 'the key is not the one that the header names')
  }
  const verifier = await verifiers.get(key)
  if (!(await verifier.verify(jws.signingInput, jws.signature))) {
    throw new AmpereError('SIGNATURE_INVALID', 'the signature does not verify')
  }
}

/** Signs the canonical form of `payload` as a compact JWS. @throws AmpereError TOO_LARGE, KEY_UNAVAILABLE */
export async function signJws(typ: JwsType, payload: unknown, signer: Signer): Promise<string> {
  const header = canonicalize({ alg: signer.alg, kid: signer.kid, typ })
  const input = `${toBase64url(utf8(header))}.${toBase64url(utf8(canonicalize(payload)))}`
  const compact = `${input}.${toBase64url(await signer.sign(utf8(input)))}`
  if (compact.length > MAX_JWS_BYTES) {
    throw new AmpereError('TOO_LARGE', `the signed statement is longer than ${MAX_JWS_BYTES} bytes`)
  }
  return compact
}

/** The header that was parsed last: blocks of one chain are mostly by one author, and have the same. */
let newest: { readonly segment: string; readonly typ: JwsType; readonly header: JwsHeader } | null = null

function headerOf(segment: string, typ: JwsType): JwsHeader {
  if (newest?.segment !== segment || newest.typ !== typ)
    newest = { segment, typ, header: parseHeader(decode(segment), typ) }
  return newest.header
}

function parseHeader(bytes: Uint8Array, typ: JwsType): JwsHeader {
  const header = parsePart(bytes, 'header')
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw malformed('header is no object')
  const { alg, kid, typ: stated, ...rest } = header as Record<string, Json>
  if (Object.keys(rest).length > 0) throw malformed('header has a member other than alg, kid, typ')
  if (stated !== typ) throw malformed(`typ is not ${typ}`)
  if (alg !== 'ES256' && alg !== 'Ed25519' && alg !== 'ML-DSA-44') throw malformed('alg is not one of ours')
  if (typeof kid !== 'string') throw malformed('kid is missing')
  try {
    return { alg, kid: asKid(kid) }
  } catch (cause) {
    throw malformed('kid is not a thumbprint', cause)
  }
}

function decode(segment: string): Uint8Array {
  try {
    return fromBase64url(segment)
  } catch (cause) {
    throw malformed('a segment is not canonical base64url', cause)
  }
}

function parsePart(bytes: Uint8Array, part: string): Json {
  try {
    return parseCanonical(bytes)
  } catch (cause) {
    throw malformed(`${part} is not canonical JSON`, cause)
  }
}

/** Of what has this hash it is known already that it is canonical. */
function readPart(bytes: Uint8Array, part: string): Json {
  try {
    return JSON.parse(fromUtf8(bytes)) as Json
  } catch (cause) {
    throw malformed(`${part} is not JSON`, cause)
  }
}

function malformed(what: string, cause?: unknown): AmpereError {
  return new AmpereError('JWS_MALFORMED', `JWS: ${what}`, { cause })
}
