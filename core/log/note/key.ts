// SPDX-License-Identifier: Apache-2.0
import { toBase64 } from '../../bytes/base64.ts'
import { fromBase64url, toBase64url, toHex, utf8 } from '../../bytes/encoding.ts'
import { concat, equalBytes, uint32 } from '../../bytes/frame.ts'
import { sha256 } from '../../crypto/hash.ts'
import { algorithmOf, checkPublicJwk } from '../../crypto/jwk.ts'
import type { PublicJwk, Signer } from '../../crypto/signature.ts'
import { AmpereError } from '../../errors.ts'
import { malformed, readBase64 } from './lines.ts'

/**
 * What a key signs, c2sp.org/signed-note "Signature types": note texts, or checkpoints with a time.
 *
 * ECDSA (0x02) is not among them. It has no cosignature form, its key ID commits to no name, its signatures have
 * several DER encodings and two values of s, and nothing here needs it; a verifier may leave types out.
 */
export type LogKeyType = 'Ed25519' | 'cosignature-Ed25519' | 'cosignature-ML-DSA-44'

/** A public key of a log or of a cosigner. Name and id together say which key made a signature of a note. */
export interface LogKey {
  readonly name: string
  readonly type: LogKeyType
  /** uint32: the first four bytes of SHA-256(name || 0x0A || type || public key). Short: it identifies, it proves nothing. */
  readonly id: number
  /** As the signature type encodes it: 32 bytes (RFC 8032) or 1312 bytes (FIPS 204). */
  readonly publicKey: Uint8Array
}

/** A key that can sign. */
export interface LogSigner {
  readonly key: LogKey
  sign(bytes: Uint8Array): Promise<Uint8Array>
}

/** UTF-8 bytes of a key name or origin: an ML-DSA-44 cosignature gives the length of each in one byte. */
export const MAX_NAME_BYTES = 255

/** The one table of signature types. */
export const LOG_KEY_TYPES = {
  Ed25519: { byte: 0x01, alg: 'Ed25519', publicBytes: 32, signatureBytes: 64 },
  'cosignature-Ed25519': { byte: 0x04, alg: 'Ed25519', publicBytes: 32, signatureBytes: 64 },
  'cosignature-ML-DSA-44': { byte: 0x06, alg: 'ML-DSA-44', publicBytes: 1312, signatureBytes: 2420 },
} as const satisfies Record<LogKeyType, unknown>

/**
 * The key with its id.
 * @throws AmpereError LOG_MALFORMED for the name, KEY_MALFORMED for bytes that are no public key of that type
 */
export function logKey(name: string, type: LogKeyType, publicKey: Uint8Array): LogKey {
  checkKeyName(name)
  checkPublicJwk(jwkOf(type, publicKey))
  return { name, type, id: keyId(name, type, publicKey), publicKey: publicKey.slice() }
}

/** The key as core/crypto takes it. */
export function publicJwkOf(key: LogKey): PublicJwk {
  return jwkOf(key.type, key.publicKey)
}

/**
 * The key of a JWK.
 * @throws AmpereError LOG_MALFORMED for the name, KEY_MALFORMED for a JWK of another algorithm than the type's
 */
export function logKeyOfJwk(name: string, type: LogKeyType, jwk: PublicJwk): LogKey {
  const { alg } = LOG_KEY_TYPES[type]
  if (jwk.kty === 'EC' || algorithmOf(jwk) !== alg)
    throw new AmpereError('KEY_MALFORMED', `a log key of this type is a key of ${alg}`)
  return logKey(name, type, fromBase64url(jwk.kty === 'AKP' ? jwk.pub : jwk.x))
}

/** A signer under a name. @throws AmpereError as `logKeyOfJwk` */
export function logSigner(
  name: string,
  type: LogKeyType,
  signer: Pick<Signer, 'publicKey' | 'sign'>,
): LogSigner {
  return { key: logKeyOfJwk(name, type, signer.publicKey), sign: (bytes) => signer.sign(bytes) }
}

/**
 * A verifier key string, `name+hash+base64`, c2sp.org/signed-note "Verifier keys". The id that it states is
 * computed again: others take keys whose id belongs to another name or key, and then miss their signatures.
 * @throws AmpereError LOG_MALFORMED, KEY_MALFORMED, or UNSUPPORTED for a signature type that is not ours
 */
export function parseVerifierKey(text: string): LogKey {
  // Names have no '+', base64 has.
  const [name, id, ...rest] = text.split('+')
  if (name === undefined || id === undefined || rest.length === 0)
    throw malformed('a verifier key is not name, key ID and key joined by "+"')
  checkKeyName(name)
  if (!/^[0-9a-f]{8}$/.test(id)) throw malformed('a key ID is not 8 lower-case hexadecimal digits')
  const bytes = readBase64(rest.join('+'), 'the key of a verifier key')
  const key = logKey(name, typeOf(bytes[0]), bytes.subarray(1))
  if (hexOf(key.id) !== id)
    throw malformed('a verifier key states another key ID than that of its name and key')
  return key
}

/** The verifier key string of a key. */
export function formatVerifierKey(key: LogKey): string {
  const bytes = concat(Uint8Array.of(LOG_KEY_TYPES[key.type].byte), key.publicKey)
  return `${key.name}+${hexOf(key.id)}+${toBase64(bytes)}`
}

/** Whether two keys are the same key of the same name and type. */
export function isSameKey(a: LogKey, b: LogKey): boolean {
  return a.name === b.name && a.type === b.type && equalBytes(a.publicKey, b.publicKey)
}

/** @throws AmpereError LOG_MALFORMED for a name that no signature line can carry */
export function checkKeyName(name: string): void {
  if (name === '') throw malformed('a key name is empty')
  if (/[\p{White_Space}+]/u.test(name)) throw malformed('a key name has a space or "+"')
  // oxlint-disable-next-line no-control-regex -- signed-note forbids exactly these
  if (/[\0-\x1f]/.test(name)) throw malformed('a key name has a control character')
  if (!name.isWellFormed()) throw malformed('a key name is not UTF-8')
  if (utf8(name).length > MAX_NAME_BYTES) throw malformed(`a key name is longer than ${MAX_NAME_BYTES} bytes`)
}

function keyId(name: string, type: LogKeyType, publicKey: Uint8Array): number {
  const hash = sha256(concat(utf8(`${name}\n`), Uint8Array.of(LOG_KEY_TYPES[type].byte), publicKey))
  return new DataView(hash.buffer).getUint32(0)
}

function typeOf(byte: number | undefined): LogKeyType {
  for (const [type, row] of Object.entries(LOG_KEY_TYPES)) if (row.byte === byte) return type as LogKeyType
  if (byte === undefined) throw malformed('a verifier key has no key')
  throw new AmpereError('UNSUPPORTED', `signature type 0x${toHex(Uint8Array.of(byte))} is not supported`)
}

function jwkOf(type: LogKeyType, publicKey: Uint8Array): PublicJwk {
  const { alg, publicBytes } = LOG_KEY_TYPES[type]
  if (publicKey.length !== publicBytes)
    throw new AmpereError('KEY_MALFORMED', `a public key of ${alg} is ${publicBytes} bytes`)
  const text = toBase64url(publicKey)
  return alg === 'ML-DSA-44' ? { kty: 'AKP', alg, pub: text } : { kty: 'OKP', crv: alg, x: text }
}

function hexOf(id: number): string {
  return toHex(uint32(id))
}
