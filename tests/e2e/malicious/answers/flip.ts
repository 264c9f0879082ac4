// SPDX-License-Identifier: Apache-2.0

/** The bytes with one bit of the byte at a place changed; which bit follows from the place. */
export function flipped(bytes: Uint8Array, at: number): Uint8Array<ArrayBuffer> {
  const changed = Uint8Array.from(bytes)
  changed[at] = (bytes[at] ?? 0) ^ (1 << (at % 8))
  return changed
}
