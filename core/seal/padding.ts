// SPDX-License-Identifier: Apache-2.0
import { uint32 } from '../bytes/frame.ts'
import { AmpereError } from '../errors.ts'

/** Smallest padded length in bytes. Part of the format: most resources look alike in size. */
export const MIN_PADDED_BYTES = 4096

/** Padme length for `length` bytes, 0..2^32-1 (Nikitin et al. 2019): at most 12 % more, leaks O(log log length) bits. */
export function padmeLength(length: number): number {
  if (length < 2) return length
  const exponent = 31 - Math.clz32(length)
  const kept = 32 - Math.clz32(exponent)
  const unit = 2 ** Math.max(0, exponent - kept)
  return Math.ceil(length / unit) * unit
}

/** uint32 length, the bytes, then zeros up to the padded length. */
export function pad(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const padded = new Uint8Array(paddedLength(bytes.length))
  padded.set(uint32(bytes.length))
  padded.set(bytes, 4)
  return padded
}

/** Strict inverse of `pad`: another length or a byte that is not zero fails. @throws AmpereError OPEN_FAILED */
export function unpad(padded: Uint8Array): Uint8Array {
  if (padded.length < 4) throw failed()
  const length = new DataView(padded.buffer, padded.byteOffset).getUint32(0)
  if (padded.length !== paddedLength(length)) throw failed()
  for (let i = 4 + length; i < padded.length; i++) if (padded[i] !== 0) throw failed()
  return padded.subarray(4, 4 + length)
}

function paddedLength(length: number): number {
  return Math.max(MIN_PADDED_BYTES, padmeLength(length + 4))
}

function failed(): AmpereError {
  return new AmpereError('OPEN_FAILED', 'sealed bytes do not open')
}
