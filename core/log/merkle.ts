// SPDX-License-Identifier: Apache-2.0
import { sha256 } from '../crypto/hash.ts'

const LEAF = new Uint8Array([0])
const NODE = new Uint8Array([1])

/** Hash of a leaf: SHA-256(0x00 || bytes), RFC 6962 section 2.1. */
export function leafHash(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return sha256(LEAF, bytes)
}

/** Hash of an inner node: SHA-256(0x01 || left || right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array<ArrayBuffer> {
  return sha256(NODE, left, right)
}

/** Merkle tree hash over leaf hashes; of none it is SHA-256 of the empty string. */
export function merkleRoot(leafHashes: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const [first] = leafHashes
  if (!first) return sha256(new Uint8Array(0))
  if (leafHashes.length === 1) return new Uint8Array(first)
  const split = splitOf(leafHashes.length)
  return nodeHash(merkleRoot(leafHashes.slice(0, split)), merkleRoot(leafHashes.slice(split)))
}

/** Merkle tree hash over leaves that are not hashed yet. */
export function rootOf(leaves: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return merkleRoot(leaves.map(leafHash))
}

/** The largest power of two below `size`, without 32-bit arithmetic: sizes go up to 2^53-1. */
export function splitOf(size: number): number {
  let split = 1
  while (split * 2 < size) split *= 2
  return split
}
