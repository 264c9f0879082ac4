// SPDX-License-Identifier: Apache-2.0
import type { OpenedJws } from '#core/block/jws.ts'
import type { PublicJwk } from '#core/ports/keys.ts'

/** Signatures that are being verified at any time. */
export const IN_FLIGHT = 64

/** Verifies ES256 signatures by WebCrypto and does nothing else: 64 in flight all the time. */
export async function verifyAll(
  jwk: PublicJwk,
  signatures: readonly Pick<OpenedJws, 'signature' | 'signingInput'>[],
): Promise<void> {
  const curve = { name: 'ECDSA', namedCurve: 'P-256' }
  const key = await crypto.subtle.importKey('jwk', { ...jwk }, curve, false, ['verify'])
  const verify = (signature: Uint8Array, input: Uint8Array) =>
    crypto.subtle.verify(
      { name: 'ECDSA', hash: 'SHA-256' },
      key,
      signature as Uint8Array<ArrayBuffer>,
      input as Uint8Array<ArrayBuffer>,
    )
  const waiting = signatures.values()
  const worker = async () => {
    for (const { signature, signingInput } of waiting) {
      if (!(await verify(signature, signingInput))) throw new Error('a signature is not valid')
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
}
