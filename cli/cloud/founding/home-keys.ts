// SPDX-License-Identifier: Apache-2.0
import type { PublicJwk } from '#core/ports/keys.ts'
import type { Platform } from '#core/ports/needs.ts'
import { publicKeysOf } from '../../deployment/found-home.ts'

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

/** Public keys of a home that it has before it has a registry. */
export interface HomeKeys {
  /** Verifier keys of its log and of its witness (c2sp.org/signed-note). */
  readonly log: string[]
  readonly witness: string[]
  readonly mirror: MirrorKeys
}

/** Makes the keys of a home on a platform that makes those that are not there. @throws AmpereError KEY_UNAVAILABLE */
export async function makeHomeKeys(platform: Platform, origin: string): Promise<HomeKeys> {
  const { log, witness } = await publicKeysOf(platform, origin)
  return { log: [...log], witness: [...witness], mirror: await mirrorKeysOf(platform) }
}
