// SPDX-License-Identifier: Apache-2.0
import { createCipheriv } from 'node:crypto'

const REDUCTION = 0xe1n << 120n

/** A key and nonce of AES-256-GCM. */
export interface GcmPair {
  readonly key: Uint8Array
  readonly nonce: Uint8Array
}

/**
 * 32 bytes of ciphertext and one tag that AES-256-GCM opens under both pairs, to different plaintexts: the tag
 * is linear in each ciphertext block, so the second block is solved for equal tags (Grubbs et al. 2017, "message
 * franking via committing authenticated encryption").
 */
export function collidingCiphertext(a: GcmPair, b: GcmPair): Uint8Array {
  const [first, second] = [parametersOf(a), parametersOf(b)]
  const block = 0x0123456789abcdefn
  const power = (h: bigint, n: number) =>
    Array.from({ length: n - 1 }).reduce<bigint>((x) => multiply(x, h), h)
  const sum = (n: number) => power(first.h, n) ^ power(second.h, n)
  const lengths = 256n
  const known = multiply(block, sum(3)) ^ multiply(lengths, sum(1)) ^ first.mask ^ second.mask
  const solved = multiply(known, inverse(sum(2)))
  const tag =
    multiply(block, power(first.h, 3)) ^
    multiply(solved, power(first.h, 2)) ^
    multiply(lengths, first.h) ^
    first.mask
  return Buffer.concat([block, solved, tag].map(toBlock))
}

function parametersOf({ key, nonce }: GcmPair) {
  const encrypt = (input: Uint8Array) => {
    const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false)
    return BigInt(`0x${Buffer.concat([cipher.update(input), cipher.final()]).toString('hex')}`)
  }
  return { h: encrypt(Buffer.alloc(16)), mask: encrypt(Buffer.concat([nonce, Buffer.of(0, 0, 0, 1)])) }
}

/** In GF(2^128) with GCM's bit order, NIST SP 800-38D section 6.3. */
function multiply(x: bigint, y: bigint): bigint {
  let product = 0n
  let v = y
  for (let i = 127n; i >= 0n; i--) {
    if ((x >> i) & 1n) product ^= v
    v = v & 1n ? (v >> 1n) ^ REDUCTION : v >> 1n
  }
  return product
}

/** x^(2^128 - 2). */
function inverse(x: bigint): bigint {
  let result = multiply(x, x)
  let square = result
  for (let i = 2; i < 128; i++) {
    square = multiply(square, square)
    result = multiply(result, square)
  }
  return result
}

function toBlock(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(32, '0'), 'hex')
}
