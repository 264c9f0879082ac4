// SPDX-License-Identifier: Apache-2.0
import { ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js'
import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_MLKEM768_X25519 } from 'hpke'
import { concat } from '../bytes/frame.ts'
import { AmpereError } from '../errors.ts'

/** Bytes of an encapsulated key and of a public key of MLKEM768-X25519 (draft-ietf-hpke-pq, KEM 0x647A). */
export const ENCAPSULATED_BYTES = 1120
export const SEALING_KEY_BYTES = 1216

/** The one suite: MLKEM768-X25519, HKDF-SHA256, AES-256-GCM. */
const SUITE = new CipherSuite(KEM_MLKEM768_X25519, KDF_HKDF_SHA256, AEAD_AES_256_GCM)

/** The public key, 1,216 bytes, of a 32-byte seed. */
export function sealingPublicKey(seed: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(ml_kem768_x25519.keygen(seed).publicKey)
}

/** Seals one message to a public key (HPKE base mode, RFC 9180): encapsulated key, then ciphertext. */
export async function hpkeSeal(
  publicKey: Uint8Array,
  info: Uint8Array,
  plaintext: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const key = await SUITE.DeserializePublicKey(publicKey)
  const { encapsulatedSecret, ciphertext } = await SUITE.Seal(key, plaintext, { info })
  return concat(encapsulatedSecret, ciphertext)
}

/** Opens what `hpkeSeal` made. @throws AmpereError OPEN_FAILED, whatever is wrong */
export async function hpkeOpen(
  seed: Uint8Array,
  info: Uint8Array,
  sealed: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const key = await SUITE.DeserializePrivateKey(seed)
    const encapsulated = sealed.subarray(0, ENCAPSULATED_BYTES)
    const opened = await SUITE.Open(key, encapsulated, sealed.subarray(ENCAPSULATED_BYTES), { info })
    return new Uint8Array(opened)
  } catch (cause) {
    throw new AmpereError('OPEN_FAILED', 'sealed bytes do not open', { cause })
  }
}
