// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { fromBase64url } from '#core/bytes/encoding.ts'
import { concat } from '#core/bytes/frame.ts'
import { thumbprint } from '#core/crypto/jwk.ts'
import { normalizeLowS } from '#core/crypto/signature.ts'
import { AmpereError } from '#core/errors.ts'
import type { PublicJwk, SignatureAlgorithm, Signer } from '#core/ports/keys.ts'
import type { Kms } from '../clients/kms.ts'
import { rawSignature } from './ecdsa-der.ts'
import { publicJwkOf } from './public-key.ts'

/** What KMS signs as it is, in bytes; of more it wants a digest, where the algorithm has one. */
export const MAX_RAW_BYTES = 4096

type Sign = (kms: Kms, keyId: string, bytes: Uint8Array, publicKey: PublicJwk) => Promise<Uint8Array>

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()
const shake256 = (...parts: readonly Uint8Array[]) => {
  const hash = createHash('shake256', { outputLength: 64 })
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** How KMS is asked for each algorithm, and what is made of its answer. */
const SIGN: Readonly<Record<SignatureAlgorithm, Sign>> = {
  ES256: async (kms, KeyId, bytes) => {
    const asked = { MessageType: 'DIGEST', SigningAlgorithm: 'ECDSA_SHA_256' } as const
    const der = await kms.sign({ KeyId, Message: sha256(bytes), ...asked })
    return normalizeLowS(rawSignature(der))
  },
  Ed25519: (kms, KeyId, bytes) => {
    if (bytes.length > MAX_RAW_BYTES) throw tooLong()
    return kms.sign({ KeyId, Message: bytes, MessageType: 'RAW', SigningAlgorithm: 'ED25519_SHA_512' })
  },
  'ML-DSA-44': (kms, KeyId, bytes, publicKey) => {
    const asked = { KeyId, SigningAlgorithm: 'ML_DSA_SHAKE_256' } as const
    if (bytes.length <= MAX_RAW_BYTES) return kms.sign({ ...asked, Message: bytes, MessageType: 'RAW' })
    return kms.sign({ ...asked, Message: messageDigest(publicKey, bytes), MessageType: 'EXTERNAL_MU' })
  },
}

/** The message representative mu of FIPS 204 (algorithm 7, line 6) for a message without context. */
function messageDigest(publicKey: PublicJwk, bytes: Uint8Array): Uint8Array {
  const pub = 'pub' in publicKey ? fromBase64url(publicKey.pub) : new Uint8Array(0)
  return shake256(shake256(pub), concat(Uint8Array.of(0, 0), bytes))
}

/** Ed25519 reads its message twice; of a digest alone KMS makes Ed25519ph, which is another algorithm. */
function tooLong(): AmpereError {
  return new AmpereError(
    'KEY_UNAVAILABLE',
    `KMS signs up to ${MAX_RAW_BYTES} bytes with Ed25519: use a software key for what is longer`,
  )
}

/** A signer over a key of KMS; its public key is asked for once. @throws AmpereError KEY_UNAVAILABLE, CONFIGURATION */
export async function kmsSigner(kms: Kms, alg: SignatureAlgorithm, keyId: string): Promise<Signer> {
  const publicKey = publicJwkOf(alg, await kms.publicKey(keyId))
  return {
    alg,
    publicKey,
    kid: thumbprint(publicKey),
    sign: async (bytes) => SIGN[alg](kms, keyId, bytes, publicKey),
  }
}
