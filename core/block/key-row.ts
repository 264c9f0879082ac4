// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { canonicalBytes, parseCanonical } from '../bytes/canonical-json.ts'
import { fromBase64url, toBase64url } from '../bytes/encoding.ts'
import type { BlockId } from '../bytes/ids.ts'
import { blockId, bytesOf, compartmentId, count, digest, parseWith } from '../bytes/schema.ts'
import { digestOf, sha256 } from '../crypto/hash.ts'
import { AmpereError, isAmpereError } from '../errors.ts'
import { rootOf } from '../log/merkle.ts'
import { MAX_COMPARTMENTS, MAX_ENTRIES, type BlockEntries } from './block.ts'

/** Bytes of a wrapping key sealed by HPKE: encapsulated key 1,120, key 32, tag 16. Part of the format. */
const SEALED_KEY_BYTES = 1168

const envelope = v.strictObject({
  compartment: compartmentId,
  epoch: count,
  sealed: bytesOf(SEALED_KEY_BYTES),
})
const key = v.union([
  v.strictObject({ wrapped: bytesOf(40) }),
  v.strictObject({ erased: blockId, hash: digest }),
])
/** The key row as a closed wire schema. */
export const keyRowSchema = v.strictObject({
  v: v.literal(1),
  envelopes: v.pipe(v.array(envelope), v.minLength(1), v.maxLength(MAX_COMPARTMENTS)),
  keys: v.pipe(v.array(key), v.minLength(1), v.maxLength(MAX_ENTRIES)),
})

/**
 * The wrapped entry keys of one block, apart from it so that they can be destroyed. An envelope holds a
 * compartment's wrapping key sealed to its epoch key; a key is wrapped (RFC 3394) or a tombstone that
 * names the erase block and keeps the hash of what it replaced.
 */
export type KeyRow = v.InferOutput<typeof keyRowSchema>

/** @throws AmpereError BLOCK_MALFORMED */
export function parseKeyRow(bytes: Uint8Array): KeyRow {
  let row: KeyRow
  try {
    row = parseWith(keyRowSchema, parseCanonical(bytes), 'BLOCK_MALFORMED', 'key row')
  } catch (cause) {
    throw new AmpereError('BLOCK_MALFORMED', 'key row: not well-formed', { cause })
  }
  const names = row.envelopes.map((item) => item.compartment)
  if (names.some((name, i) => i > 0 && (names[i - 1] ?? '') >= name)) {
    throw new AmpereError('BLOCK_MALFORMED', 'key row: envelopes are not sorted and distinct')
  }
  return row
}

/** The canonical bytes of a row. */
export function encodeKeyRow(row: KeyRow): Uint8Array<ArrayBuffer> {
  return canonicalBytes(row)
}

/** Leaves of `entries.keys`: SHA-256 of each envelope, then of each wrapped key; a tombstone's is the hash it kept. */
export function keyRowLeaves(row: KeyRow): Uint8Array[] {
  return [
    ...row.envelopes.map((item) => sha256(fromBase64url(item.sealed))),
    ...row.keys.map((item) =>
      'wrapped' in item ? sha256(fromBase64url(item.wrapped)) : fromBase64url(item.hash),
    ),
  ]
}

/** The key row if it is exactly what the block names, tombstones included, else null. */
export function checkedRow(entries: BlockEntries, bytes: Uint8Array): KeyRow | null {
  try {
    const row = parseKeyRow(bytes)
    return isRowOf(row, entries) ? row : null
  } catch (error) {
    if (isAmpereError(error)) return null
    throw error
  }
}

/**
 * True when the row is the one that a block names: the leaves have its root, and there is one envelope for each of its
 * compartments, of its epoch. The root does not cover what an envelope says of itself.
 */
function isRowOf(row: KeyRow, entries: BlockEntries): boolean {
  return (
    toBase64url(rootOf(keyRowLeaves(row))) === entries.keys &&
    row.envelopes.map((item) => item.compartment).join() === entries.compartments.join() &&
    row.envelopes.every((item) => item.epoch === entries.epoch)
  )
}

/** The row with tombstones at `indexes`; tombstones that are there stay as they are. */
export function entomb(row: KeyRow, indexes: readonly number[], erase: BlockId): KeyRow {
  const chosen = new Set(indexes)
  return {
    ...row,
    keys: row.keys.map((item, i) =>
      chosen.has(i) && 'wrapped' in item
        ? { erased: erase, hash: digestOf(fromBase64url(item.wrapped)) }
        : item,
    ),
  }
}
