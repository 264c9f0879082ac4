// SPDX-License-Identifier: Apache-2.0
import { ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js'
import type { KEM, Key } from 'hpke'

const NAME = 'MLKEM768-X25519'

interface PortableKey extends Key {
  readonly bytes: Uint8Array
}

/**
 * MLKEM768-X25519 (KEM 0x647A) in JavaScript, for hosts whose WebCrypto has no ML-KEM. It only seals and
 * opens: keys come as bytes and are never generated here.
 */
export function portableKem(): Readonly<KEM<PortableKey>> {
  return {
    id: 0x647a,
    type: 'KEM',
    name: NAME,
    Nsecret: 32,
    Nenc: 1120,
    Npk: 1216,
    Nsk: 32,
    DeriveKeyPair: refuse,
    GenerateKeyPair: refuse,
    SerializePublicKey: (key) => Promise.resolve(key.bytes),
    SerializePrivateKey: refuse,
    DeserializePublicKey: (bytes) => Promise.resolve(keyOf('public', bytes)),
    DeserializePrivateKey: (bytes) => Promise.resolve(keyOf('private', bytes)),
    Encap: async ({ bytes }) => {
      const { cipherText, sharedSecret } = ml_kem768_x25519.encapsulate(bytes)
      return { enc: cipherText, shared_secret: sharedSecret }
    },
    Decap: async (enc, { bytes }) => ml_kem768_x25519.decapsulate(enc, bytes),
  }
}

function keyOf(type: 'public' | 'private', bytes: Uint8Array): PortableKey {
  return { algorithm: { name: NAME }, extractable: type === 'public', type, bytes: new Uint8Array(bytes) }
}

function refuse(): Promise<never> {
  return Promise.reject(new TypeError('the portable KEM only seals and opens'))
}
