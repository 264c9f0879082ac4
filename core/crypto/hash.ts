// SPDX-License-Identifier: Apache-2.0
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { toBase64url } from '../bytes/encoding.ts'
import type { Digest } from '../bytes/ids.ts'

/** From so many bytes on the runtime's SHA-256 is faster than ours by more than calling it costs. */
const WORTH_A_CALL_BYTES = 256

/** The runtime's own SHA-256 that answers at once: Node has one. Browsers only have WebCrypto's, which makes one wait. */
const ofRuntime = findHash()

/** SHA-256 of all parts together, synchronously: for tree nodes and ids, where a promise costs more than the hash. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const [first] = parts
  if (ofRuntime && parts.length === 1 && first && first.length >= WORTH_A_CALL_BYTES) return ofRuntime(first)
  return sha256Portable(...parts)
}

/** `sha256` without the runtime's help, as it is computed in browsers. */
export function sha256Portable(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const hash = nobleSha256.create()
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** SHA-256 in the pool of WebCrypto: for sealed objects. */
export async function sha256Large(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
}

/** HMAC-SHA-256, RFC 2104. */
export function hmacSha256(key: Uint8Array, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(hmac(nobleSha256, key, bytes))
}

/** SHA-256 as the identifier that blocks and rows carry: base64url, 43 characters. */
export function digestOf(bytes: Uint8Array): Digest {
  return toBase64url(sha256(bytes)) as Digest
}

/** Only asked for, never imported: this file is the same in browsers. */
function findHash(): ((bytes: Uint8Array) => Uint8Array<ArrayBuffer>) | null {
  const { process } = globalThis as { readonly process?: { readonly getBuiltinModule?: BuiltinModule } }
  const hash = process?.getBuiltinModule?.('crypto')?.hash
  return hash ? (bytes) => new Uint8Array(hash('sha256', bytes, 'buffer')) : null
}

type BuiltinModule = (name: string) => { readonly hash?: Hash } | undefined
type Hash = (algorithm: 'sha256', bytes: Uint8Array, output: 'buffer') => Uint8Array
