// SPDX-License-Identifier: Apache-2.0
import { ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js'
import {
  AEAD_AES_256_GCM,
  CipherSuite,
  KDF_HKDF_SHA256,
  KEM_MLKEM768_X25519,
  NotSupportedError,
  type Key,
} from 'hpke'
import { concat } from '../bytes/frame.ts'
import { AmpereError } from '../errors.ts'
import { portableKem } from './portable-kem.ts'

/** Bytes of an encapsulated key and of a public key of MLKEM768-X25519 (draft-ietf-hpke-pq, KEM 0x647A). */
export const ENCAPSULATED_BYTES = 1120
export const SEALING_KEY_BYTES = 1216
/** Bytes by which a sealed message is longer than its plaintext: encapsulated key and GCM tag. */
export const HPKE_OVERHEAD_BYTES = ENCAPSULATED_BYTES + 16

/** Seals and opens with one implementation of the KEM. */
export interface Hpke {
  /** @throws AmpereError KEY_MALFORMED for a public key that is none */
  seal(publicKey: Uint8Array, info: Uint8Array, plaintext: Uint8Array): Promise<Uint8Array<ArrayBuffer>>
  /** @throws AmpereError OPEN_FAILED */
  open(seed: Uint8Array, info: Uint8Array, sealed: Uint8Array): Promise<Uint8Array<ArrayBuffer>>
}

/** The host's own ML-KEM-768 and X25519, through WebCrypto. */
export const nativeHpke: Hpke = over(new CipherSuite(KEM_MLKEM768_X25519, KDF_HKDF_SHA256, AEAD_AES_256_GCM))
/** The same suite with the KEM in JavaScript. */
export const portableHpke: Hpke = over(new CipherSuite(portableKem, KDF_HKDF_SHA256, AEAD_AES_256_GCM))

/** The public key, 1,216 bytes, of a 32-byte seed. @throws RangeError for another length of seed */
export function sealingPublicKey(seed: Uint8Array): Uint8Array<ArrayBuffer> {
  if (seed.length !== 32) throw new RangeError('a sealing seed is 32 bytes')
  return new Uint8Array(ml_kem768_x25519.keygen(seed).publicKey)
}

/**
 * Seals one message to a public key (HPKE base mode, RFC 9180; MLKEM768-X25519, HKDF-SHA256, AES-256-GCM):
 * encapsulated key, then ciphertext.
 * @throws AmpereError KEY_MALFORMED for a public key that is none
 */
export function hpkeSeal(
  publicKey: Uint8Array,
  info: Uint8Array,
  plaintext: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  return nativeOrPortable((hpke) => hpke.seal(publicKey, info, plaintext))
}

/** Opens what `hpkeSeal` made. @throws AmpereError OPEN_FAILED, whatever is wrong */
export function hpkeOpen(
  seed: Uint8Array,
  info: Uint8Array,
  sealed: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  return nativeOrPortable((hpke) => hpke.open(seed, info, sealed))
}

function over<K extends Key>(suite: CipherSuite<K>): Hpke {
  return {
    seal: async (publicKey, info, plaintext) => {
      try {
        const key = await suite.DeserializePublicKey(publicKey)
        const { encapsulatedSecret, ciphertext } = await suite.Seal(key, plaintext, { info })
        return concat(encapsulatedSecret, ciphertext)
      } catch (cause) {
        if (isUnsupported(cause)) throw cause
        throw new AmpereError('KEY_MALFORMED', 'a sealing key is not one of ours', { cause })
      }
    },
    open: async (seed, info, sealed) => {
      try {
        const key = await suite.DeserializePrivateKey(seed)
        const encapsulated = sealed.subarray(0, ENCAPSULATED_BYTES)
        const opened = await suite.Open(key, encapsulated, sealed.subarray(ENCAPSULATED_BYTES), { info })
        return new Uint8Array(opened)
      } catch (cause) {
        if (isUnsupported(cause)) throw cause
        throw new AmpereError('OPEN_FAILED', 'sealed bytes do not open', { cause })
      }
    },
  }
}

/** WebCrypto says only by failing that it lacks an algorithm; the failure costs microseconds. */
async function nativeOrPortable<T>(act: (hpke: Hpke) => Promise<T>): Promise<T> {
  try {
    return await act(nativeHpke)
  } catch (error) {
    if (isUnsupported(error)) return act(portableHpke)
    throw error
  }
}

/** hpke wraps the reason: a key that does not deserialise has NotSupportedError as its cause. */
function isUnsupported(error: unknown): boolean {
  return (
    error instanceof NotSupportedError || (error instanceof Error && error.cause instanceof NotSupportedError)
  )
}
