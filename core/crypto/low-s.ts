// SPDX-License-Identifier: Apache-2.0
import { fromHex, toHex } from '../bytes/encoding.ts'
import { concat } from '../bytes/frame.ts'
import { AmpereError } from '../errors.ts'

/** Order n of the P-256 group, FIPS 186-5. */
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

/** Half the order, rounded down: the largest s that is low. */
const LARGEST_LOW_S = fromHex((P256_ORDER / 2n).toString(16).padStart(64, '0'))

/** s is in the lower half of the group order: of (r, s) and (r, n - s) only one is a signature here. */
export function hasLowS(signature: Uint8Array): boolean {
  const s = signature.subarray(32)
  if (s.length !== 32) return scalar(s) <= P256_ORDER / 2n
  const at = LARGEST_LOW_S.findIndex((byte, i) => byte !== s[i])
  return at < 0 || (s[at] ?? 0) < (LARGEST_LOW_S[at] ?? 0)
}

/**
 * r || s with low s; KMS and WebCrypto promise neither half.
 * @throws AmpereError SIGNATURE_INVALID for another length than 64 bytes or an s outside 0..n-1
 */
export function normalizeLowS(signature: Uint8Array): Uint8Array<ArrayBuffer> {
  const s = scalar(signature.subarray(32))
  if (signature.length !== 64 || s >= P256_ORDER)
    throw new AmpereError('SIGNATURE_INVALID', 'an ES256 signature is not 64 bytes with s below the order')
  if (hasLowS(signature)) return new Uint8Array(signature)
  return concat(signature.subarray(0, 32), fromHex((P256_ORDER - s).toString(16).padStart(64, '0')))
}

function scalar(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${toHex(bytes)}`)
}
