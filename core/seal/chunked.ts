// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '../bytes/encoding.ts'
import { concat, equalSecrets } from '../bytes/frame.ts'
import { importGcmKey } from '../crypto/aead.ts'
import { hkdfExpand } from '../crypto/hkdf.ts'
import { AmpereError } from '../errors.ts'

/** Plaintext bytes per chunk, as in c2sp.org/chunked-encryption. Part of the format. */
export const CHUNK_BYTES = 16 * 1024
export const SALT_BYTES = 24
const COMMITMENT_BYTES = 32
const TAG_BYTES = 16
const PREFIX = concat(utf8('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM'), new Uint8Array([0]))

/**
 * c2sp.org/chunked-encryption with HKDF-Expand SHA-512 and AES-256-GCM: salt, commitment, chunks.
 * The last chunk is always short, so a truncated message is seen; the commitment fixes the key.
 */
export async function encryptChunked(
  inputKey: Uint8Array,
  salt: Uint8Array,
  context: Uint8Array,
  plaintext: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  if (inputKey.length !== 32 || salt.length !== SALT_BYTES)
    throw new RangeError('key is 32 bytes and salt 24')
  const derived = derive(inputKey, salt, context)
  const key = await importGcmKey(derived.key)
  const count = Math.floor(plaintext.length / CHUNK_BYTES) + 1
  const chunks = await Promise.all(
    Array.from({ length: count }, (_, k) =>
      key.seal(nonceOf(derived.baseNonce, k), plaintext.subarray(k * CHUNK_BYTES, (k + 1) * CHUNK_BYTES)),
    ),
  )
  return concat(salt, derived.commitment, ...chunks)
}

/** Opens what `encryptChunked` made. @throws AmpereError OPEN_FAILED, whatever is wrong */
export async function decryptChunked(
  inputKey: Uint8Array,
  context: Uint8Array,
  sealed: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const header = SALT_BYTES + COMMITMENT_BYTES
  const unit = CHUNK_BYTES + TAG_BYTES
  const count = Math.floor((sealed.length - header) / unit) + 1
  const lastBytes = sealed.length - header - (count - 1) * unit
  if (inputKey.length !== 32 || sealed.length < header || lastBytes < TAG_BYTES) throw failed()
  const derived = derive(inputKey, sealed.subarray(0, SALT_BYTES), context)
  // Before any decryption: a ciphertext that opens under two keys must not open under either.
  if (!equalSecrets(derived.commitment, sealed.subarray(SALT_BYTES, header))) throw failed()
  const key = await importGcmKey(derived.key)
  const chunks = await Promise.all(
    Array.from({ length: count }, (_, k) =>
      key.open(nonceOf(derived.baseNonce, k), sealed.subarray(header + k * unit, header + (k + 1) * unit)),
    ),
  )
  const [only] = chunks
  return chunks.length === 1 && only ? only : concat(...chunks)
}

/** Bytes of the ciphertext of so many plaintext bytes. */
export function sealedBytes(plaintextBytes: number): number {
  const count = Math.floor(plaintextBytes / CHUNK_BYTES) + 1
  return SALT_BYTES + COMMITMENT_BYTES + plaintextBytes + count * TAG_BYTES
}

function derive(inputKey: Uint8Array, salt: Uint8Array, context: Uint8Array) {
  const bytes = hkdfExpand('SHA-512', inputKey, concat(PREFIX, salt, context), 76)
  return { key: bytes.subarray(0, 32), baseNonce: bytes.subarray(32, 44), commitment: bytes.subarray(44) }
}

/** Base nonce XOR the chunk's number as a big-endian integer in the last bytes. */
function nonceOf(base: Uint8Array, chunk: number): Uint8Array {
  const nonce = new Uint8Array(base)
  const view = new DataView(nonce.buffer)
  // 32 bits of the number are enough: 2^32 chunks are 64 TiB.
  view.setUint32(8, (view.getUint32(8) ^ chunk) >>> 0)
  return nonce
}

function failed(): AmpereError {
  return new AmpereError('OPEN_FAILED', 'sealed bytes do not open')
}
