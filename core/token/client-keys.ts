// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { fromBase64url, isBase64url } from '../bytes/encoding.ts'
import { AmpereError } from '../errors.ts'

/** What clients sign with: the two that SMART App Launch 2 asks of servers, and no other. */
export const CLIENT_ALGORITHMS = ['RS384', 'ES384'] as const
export type ClientAlgorithm = (typeof CLIENT_ALGORITHMS)[number]

/** A public key with which a client signs, of a JWK set (RFC 7517). */
export interface ClientKey {
  readonly kid: string
  /** The one algorithm that the key is for: by its type, never by what a signature's header says. */
  readonly alg: ClientAlgorithm
  /** The members that make the key, and no others. */
  readonly jwk:
    | { readonly kty: 'RSA'; readonly n: string; readonly e: string }
    | { readonly kty: 'EC'; readonly crv: 'P-384'; readonly x: string; readonly y: string }
}

/** What a JWK set has for us. */
export interface KeySet {
  readonly keys: readonly ClientKey[]
  /** Keys that do not count, by their place in the set, and why: for whoever registers a client. */
  readonly unusable: readonly { readonly position: number; readonly why: string }[]
}

/** Bits of an RSA modulus: less is weak (NIST SP 800-131A), more is work that whoever asks can make us do. */
export const MIN_RSA_BITS = 2048
export const MAX_RSA_BITS = 8192
const MAX_KEYS = 64
/** Members that only private and symmetric keys have (RFC 7518 section 6). */
const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']
const P384_BYTES = 48
const PRIVATE = 'is private, and must be told to nobody'

const keySet = v.looseObject({
  keys: v.pipe(v.array(v.record(v.string(), v.unknown())), v.maxLength(MAX_KEYS)),
})
const kid = v.pipe(v.string(), v.minLength(1), v.maxLength(256))

/**
 * The keys of a JWK set that a client can sign with. Others are left out, because a set may hold keys for other uses.
 * @throws AmpereError KEY_MALFORMED where it is no JWK set, or has more than 64 keys
 */
export function readKeySet(value: unknown): KeySet {
  const parsed = v.safeParse(keySet, value)
  if (!parsed.success) throw new AmpereError('KEY_MALFORMED', 'not a JWK set: {"keys": [...]}, at most 64')
  const read = parsed.output.keys.map((jwk, position) => ({ position, outcome: readKey(jwk) }))
  return {
    keys: read.flatMap(({ outcome }) => (typeof outcome === 'string' ? [] : [outcome])),
    unusable: read.flatMap(({ position, outcome }) =>
      typeof outcome === 'string' ? [{ position, why: outcome }] : [],
    ),
  }
}

/**
 * The keys of a JWK set with which a client is registered. Whoever registers it is told what is wrong with it; who sends a private key, or
 * two of one name, is refused, because the one has to be replaced and the other would never be chosen.
 * @throws AmpereError KEY_MALFORMED, saying what each key lacks
 */
export function keysToRegister(value: unknown): readonly ClientKey[] {
  const { keys, unusable } = readKeySet(value)
  const faults = unusable.map(({ position, why }) => `key ${position + 1} ${why}`).join('; ')
  if (unusable.some(({ why }) => why === PRIVATE)) throw new AmpereError('KEY_MALFORMED', faults)
  const names = new Set(keys.map(({ kid: name, alg }) => `${name} ${alg}`))
  if (names.size < keys.length) throw new AmpereError('KEY_MALFORMED', 'two keys have the same kid')
  if (keys.length > 0) return keys
  throw new AmpereError(
    'KEY_MALFORMED',
    `${faults || 'it has no key'}; RSA keys from ${MIN_RSA_BITS} bits and P-384 keys are taken, each with a kid`,
  )
}

/** The only key of that name and algorithm; null where there is none, or more than one. */
export function chooseKey(keys: readonly ClientKey[], wanted: string, alg: string): ClientKey | null {
  const [key, another] = keys.filter((one) => one.kid === wanted && one.alg === alg)
  return key && !another ? key : null
}

/** The same set as a document, with nothing but what counts. */
export function keySetJson(keys: readonly ClientKey[]): object {
  return { keys: keys.map(({ kid: name, alg, jwk }) => ({ ...jwk, kid: name, alg, use: 'sig' })) }
}

/** A key, or why it does not count. */
function readKey(jwk: Readonly<Record<string, unknown>>): ClientKey | string {
  if (SECRET_MEMBERS.some((name) => name in jwk)) return PRIVATE
  if (!v.is(kid, jwk['kid'])) return 'has no kid of 1 to 256 characters'
  if (jwk['use'] !== undefined && jwk['use'] !== 'sig') return 'is for another use than sig'
  const operations = jwk['key_ops']
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify')))
    return 'has key_ops without verify'
  const key = jwk['kty'] === 'RSA' ? rsaKey(jwk) : jwk['kty'] === 'EC' ? ecKey(jwk) : 'is neither RSA nor EC'
  if (typeof key === 'string') return key
  if (jwk['alg'] !== undefined && jwk['alg'] !== key.alg) return `is for another algorithm than ${key.alg}`
  return { kid: jwk['kid'], ...key }
}

function rsaKey({ n, e }: Readonly<Record<string, unknown>>): Omit<ClientKey, 'kid'> | string {
  const [modulus, exponent] = [bytesOf(n), bytesOf(e)]
  if (!modulus || !exponent) return 'has no n and e in base64url'
  const bits = bitsOf(modulus)
  if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS)
    return `has ${bits} bits; RSA keys of ${MIN_RSA_BITS} to ${MAX_RSA_BITS} are taken`
  // NIST SP 800-56B: odd, above 2^16. Larger ones than 32 bits are not in use.
  const isGood = bitsOf(exponent) >= 17 && exponent.length <= 4 && ((exponent.at(-1) ?? 0) & 1) === 1
  if (!isGood) return 'has an exponent that is not odd and between 2^16 and 2^32'
  return { alg: 'RS384', jwk: { kty: 'RSA', n: String(n), e: String(e) } }
}

function ecKey({ crv, x, y }: Readonly<Record<string, unknown>>): Omit<ClientKey, 'kid'> | string {
  if (crv !== 'P-384') return 'is not on the curve P-384'
  // Whether the point is on the curve is seen when the key is first used.
  if (bytesOf(x)?.length !== P384_BYTES || bytesOf(y)?.length !== P384_BYTES)
    return `has no x and y of ${P384_BYTES} bytes`
  return { alg: 'ES384', jwk: { kty: 'EC', crv, x: String(x), y: String(y) } }
}

function bytesOf(value: unknown): Uint8Array | null {
  return typeof value === 'string' && value !== '' && isBase64url(value) ? fromBase64url(value) : null
}

/** Bits of a number in big-endian bytes; leading zeroes do not make it longer. */
function bitsOf(bytes: Uint8Array): number {
  const first = bytes.findIndex((byte) => byte !== 0)
  return first < 0 ? 0 : (bytes.length - first) * 8 - (Math.clz32(bytes[first] ?? 0) - 24)
}
