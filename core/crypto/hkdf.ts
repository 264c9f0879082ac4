// SPDX-License-Identifier: Apache-2.0
import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { concat } from '../bytes/frame.ts'

const HASHES = { 'SHA-256': sha256, 'SHA-512': sha512 } as const

/**
 * HKDF-Expand without Extract, RFC 5869 section 2.3. From HMAC, because WebCrypto offers only both
 * together and libraries refuse a 32-byte PRK with SHA-512, which c2sp.org/chunked-encryption asks for.
 * @throws RangeError above 255 hash lengths
 */
export function hkdfExpand(
  hash: keyof typeof HASHES,
  prk: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array<ArrayBuffer> {
  if (length > 255 * HASHES[hash].outputLen) throw new RangeError('HKDF gives at most 255 hash lengths')
  const blocks: Uint8Array[] = []
  let previous: Uint8Array = new Uint8Array(0)
  for (let made = 0; made < length; made += previous.length) {
    previous = hmac(HASHES[hash], prk, concat(previous, info, new Uint8Array([blocks.length + 1])))
    blocks.push(previous)
  }
  return concat(...blocks).slice(0, length)
}
