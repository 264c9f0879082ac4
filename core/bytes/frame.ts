// SPDX-License-Identifier: Apache-2.0
import { utf8 } from './encoding.ts'

/** One field of a frame: text as UTF-8, bytes as they are, a number as uint64 big endian. */
export type FrameField = string | Uint8Array | number

/**
 * An unambiguous byte string of several fields: each as uint32 big-endian length, then its bytes.
 * The first field names the purpose (`ampere-wrap/v1`), so that no two uses share an input.
 */
export function frame(...fields: readonly FrameField[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = []
  for (const field of fields) {
    const bytes = typeof field === 'number' ? uint64(field) : typeof field === 'string' ? utf8(field) : field
    parts.push(uint32(bytes.length), bytes)
  }
  return concat(...parts)
}

/** All parts, one after the other. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0
  for (const part of parts) length += part.length
  const out = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** Big-endian unsigned 32-bit integer. */
export function uint32(value: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(4)
  new DataView(out.buffer).setUint32(0, value)
  return out
}

/** Big-endian unsigned 64-bit integer; `value` is a safe integer, 0..2^53-1. */
export function uint64(value: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(8)
  new DataView(out.buffer).setBigUint64(0, BigInt(value))
  return out
}

/** Compares public byte strings; not constant time, so never for secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

/** Compares secrets in time that depends on their length only. */
export function equalSecrets(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0)
  return difference === 0
}
