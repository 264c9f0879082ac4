// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '../errors.ts'

/** Bytes of a wrapped 32-byte key, RFC 3394 section 2.2. */
export const WRAPPED_KEY_BYTES = 40

/** Wraps and unwraps 32-byte keys under one key-encrypting key. */
export interface KeyWrapper {
  wrap(dek: Uint8Array): Promise<Uint8Array<ArrayBuffer>>
  /** @throws AmpereError OPEN_FAILED */
  unwrap(wrapped: Uint8Array): Promise<Uint8Array<ArrayBuffer>>
}

/**
 * AES-256 key wrap (RFC 3394). Deterministic, so only for keys that are uniformly random.
 * @throws RangeError for a key-encrypting key that is not 32 bytes
 */
export async function createKeyWrapper(kek: Uint8Array): Promise<KeyWrapper> {
  // WebCrypto would take 16 or 24 bytes as a smaller AES.
  if (kek.length !== 32) throw new RangeError('a key-encrypting key is 32 bytes')
  const key = await crypto.subtle.importKey('raw', kek as Uint8Array<ArrayBuffer>, 'AES-KW', false, [
    'wrapKey',
    'unwrapKey',
  ])
  return {
    wrap: async (dek) => {
      if (dek.length !== 32) throw new RangeError('a key to wrap is 32 bytes')
      const inner = await importInner(dek)
      return new Uint8Array(await crypto.subtle.wrapKey('raw', inner, key, 'AES-KW'))
    },
    unwrap: async (wrapped) => {
      try {
        const bytes = wrapped as Uint8Array<ArrayBuffer>
        const inner = await crypto.subtle.unwrapKey('raw', bytes, key, 'AES-KW', HMAC, true, ['sign'])
        const dek = new Uint8Array(await crypto.subtle.exportKey('raw', inner))
        if (wrapped.length === WRAPPED_KEY_BYTES && dek.length === 32) return dek
      } catch (cause) {
        throw new AmpereError('OPEN_FAILED', 'a wrapped key does not open', { cause })
      }
      throw new AmpereError('OPEN_FAILED', 'a wrapped key does not open')
    },
  }
}

/** Wraps one 32-byte key; for several under one key-encrypting key, use `createKeyWrapper`. */
export async function wrapKey(kek: Uint8Array, dek: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return (await createKeyWrapper(kek)).wrap(dek)
}

/** Unwraps one key. @throws AmpereError OPEN_FAILED */
export async function unwrapKey(kek: Uint8Array, wrapped: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return (await createKeyWrapper(kek)).unwrap(wrapped)
}

// AES-KW in WebCrypto wraps keys only; HMAC is the key type that takes any bytes.
const HMAC = { name: 'HMAC', hash: 'SHA-256' } as const

function importInner(dek: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', dek as Uint8Array<ArrayBuffer>, HMAC, true, ['sign'])
}
