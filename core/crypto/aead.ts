// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '../errors.ts'

const KEY_BYTES = 32
const NONCE_BYTES = 12

/** An imported AES-256-GCM key: imported once, used for all chunks of a message. */
export interface GcmKey {
  /** `nonce` is 12 bytes and never used twice with this key. @throws RangeError for another length */
  seal(nonce: Uint8Array, plaintext: Uint8Array, aad?: Uint8Array): Promise<Uint8Array<ArrayBuffer>>
  /** @throws AmpereError OPEN_FAILED */
  open(nonce: Uint8Array, sealed: Uint8Array, aad?: Uint8Array): Promise<Uint8Array<ArrayBuffer>>
}

/** Imports 32 bytes as an AES-256-GCM key (NIST SP 800-38D, 16-byte tag). @throws RangeError for another length */
export async function importGcmKey(key: Uint8Array): Promise<GcmKey> {
  // WebCrypto would take 16 bytes as an AES-128 key.
  if (key.length !== KEY_BYTES) throw new RangeError('an AES-256-GCM key is 32 bytes')
  const imported = await crypto.subtle.importKey('raw', own(key), 'AES-GCM', false, ['encrypt', 'decrypt'])
  const parameters = (nonce: Uint8Array, aad?: Uint8Array) => ({
    name: 'AES-GCM',
    iv: own(nonce),
    ...(aad ? { additionalData: own(aad) } : {}),
  })
  return {
    seal: async (nonce, plaintext, aad) => {
      if (nonce.length !== NONCE_BYTES) throw new RangeError('a nonce is 12 bytes')
      return new Uint8Array(await crypto.subtle.encrypt(parameters(nonce, aad), imported, own(plaintext)))
    },
    open: async (nonce, sealed, aad) => {
      if (nonce.length !== NONCE_BYTES) throw new AmpereError('OPEN_FAILED', 'sealed bytes do not open')
      try {
        return new Uint8Array(await crypto.subtle.decrypt(parameters(nonce, aad), imported, own(sealed)))
      } catch (cause) {
        throw new AmpereError('OPEN_FAILED', 'sealed bytes do not open', { cause })
      }
    },
  }
}

/** Seals one message with a key that is used once. */
export async function gcmSeal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, aad?: Uint8Array) {
  return (await importGcmKey(key)).seal(nonce, plaintext, aad)
}

/** Opens one message. @throws AmpereError OPEN_FAILED */
export async function gcmOpen(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, aad?: Uint8Array) {
  return (await importGcmKey(key)).open(nonce, sealed, aad)
}

function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>
}
