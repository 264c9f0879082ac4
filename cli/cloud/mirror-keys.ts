// SPDX-License-Identifier: Apache-2.0
import type { PublicJwk } from '#core/ports/keys.ts'
import type { Platform } from '#core/ports/needs.ts'

/** Public keys with which the mirror of a deployment asks other homes, and states what it holds. */
export interface MirrorKeys {
  readonly instance: PublicJwk
  readonly head: PublicJwk
}

/** Both are made by the template, or with the home. @throws AmpereError KEY_UNAVAILABLE */
export async function mirrorKeysOf(platform: Platform): Promise<MirrorKeys> {
  const [instance, head] = [await platform.signer('instance'), await platform.signer('head')]
  return { instance: instance.publicKey, head: head.publicKey }
}
