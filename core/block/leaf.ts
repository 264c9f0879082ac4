// SPDX-License-Identifier: Apache-2.0
import { fromBase64url, utf8 } from '../bytes/encoding.ts'
import type { ChainId, Digest } from '../bytes/ids.ts'
import { concat, uint64 } from '../bytes/frame.ts'
import { hmacSha256, sha256 } from '../crypto/hash.ts'
import { AmpereError } from '../errors.ts'

/** Bytes of a log entry: version, label, hash of the block. Part of the format (docs/PROTOCOL.md, Log). */
export const LEAF_BYTES = 65
const VERSION = 1
/** Bytes of a label. */
export const LABEL_BYTES = 32
const CONTEXT = concat(utf8('ampere-leaf/v1'), Uint8Array.of(0))

/** What a log entry says: that a block which only holders of the label key can name has this hash. */
export interface Leaf {
  /** 32 bytes: occurs once in a log, so that a second one proves a fork to anyone. */
  readonly label: Uint8Array
  /** SHA-256 of the compact JWS, signature included. */
  readonly hash: Uint8Array
}

/**
 * The label of the block at a height: HMAC-SHA-256(label key, `ampere-leaf/v1` || 0x00 || 32 bytes of the chain's id ||
 * uint64 height). `labelKey` is the one of the state before the block, for a genesis its own; for a block of the
 * registry the 32 bytes of the registry's id, because the registry is no secret.
 */
export function leafLabel(labelKey: Uint8Array, chain: ChainId | Digest, height: number): Uint8Array {
  return hmacSha256(labelKey, concat(CONTEXT, fromBase64url(chain), uint64(height)))
}

/** The label key of a registry's blocks. */
export function registryLabelKey(registry: Digest): Uint8Array {
  return fromBase64url(registry)
}

/** SHA-256 of a compact JWS, as leaves hold it. */
export function compactHash(compact: string): Uint8Array {
  return sha256(utf8(compact))
}

/** The log entry: 0x01 || label || hash. */
export function encodeLeaf({ label, hash }: Leaf): Uint8Array<ArrayBuffer> {
  return concat(Uint8Array.of(VERSION), label, hash)
}

/** Whether an entry of a log is one of this form and version. */
export function isLeaf(entry: Uint8Array): boolean {
  return entry.length === LEAF_BYTES && entry[0] === VERSION
}

/** @throws AmpereError LOG_MALFORMED for a log entry of another form or version */
export function decodeLeaf(entry: Uint8Array): Leaf {
  if (!isLeaf(entry)) throw new AmpereError('LOG_MALFORMED', 'a log entry is not one of version 1')
  return { label: entry.subarray(1, 1 + LABEL_BYTES), hash: entry.subarray(1 + LABEL_BYTES) }
}
