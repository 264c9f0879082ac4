// SPDX-License-Identifier: Apache-2.0
import { expand } from '@noble/hashes/hkdf.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'

const HASHES = { 'SHA-256': sha256, 'SHA-512': sha512 } as const

/** HKDF-Expand without Extract, RFC 5869 section 2.3; WebCrypto offers only both together. */
export function hkdfExpand(
  hash: keyof typeof HASHES,
  prk: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array<ArrayBuffer> {
  return new Uint8Array(expand(HASHES[hash], prk, info, length))
}
