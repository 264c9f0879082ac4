// SPDX-License-Identifier: Apache-2.0
import type { Kid } from '../bytes/ids.ts'
import type { Controllers } from '../block/block.ts'
import type { ParsedBlock } from '../block/open-block.ts'
import { thumbprint } from '../crypto/jwk.ts'
import type { PublicJwk } from '../ports/keys.ts'
import { devicesOf } from './state.ts'

/**
 * Keys of the devices that control states and blocks list, by key id. A key is bound to its id by its
 * thumbprint, so where it was found does not matter; whether it counts is the reducer's business. One that is
 * listed under the id of another is left out: it would stand before the key that has this id.
 */
export function deviceKeys(sources: readonly (Listing | ParsedBlock | null)[]): Map<Kid, PublicJwk> {
  const keys = new Map<Kid, PublicJwk>()
  for (const source of sources) {
    const { controllers, recovery } = source && 'block' in source ? listingIn(source) : (source ?? NOBODY)
    for (const { kid, jwk } of [...devicesOf(controllers), ...devicesOf(recovery)])
      if (thumbprint(jwk) === kid) keys.set(kid, jwk)
  }
  return keys
}

/** Who controls a chain and who may recover it, as a state or a block lists them. */
export interface Listing {
  readonly controllers: Controllers | null
  readonly recovery: Controllers | null
}

const NOBODY: Listing = { controllers: null, recovery: null }

/** Who is listed after a block that keeps the rules. */
export function listingAfter(before: Listing, { block }: ParsedBlock): Listing {
  if (block.type === 'genesis') return { controllers: block.body.controllers, recovery: null }
  if (block.type === 'recover' && block.body.act === 'complete')
    return { controllers: block.body.controllers, recovery: block.body.recovery }
  if (block.type !== 'control') return before
  const { controllers, recovery } = block.body
  return {
    controllers: controllers ?? before.controllers,
    recovery: recovery === undefined ? before.recovery : recovery,
  }
}

/** Those whom a block lists; null where it leaves who there is. */
export function listingIn({ block: { body } }: ParsedBlock): Listing {
  return 'controllers' in body
    ? { controllers: body.controllers, recovery: 'recovery' in body ? (body.recovery ?? null) : null }
    : NOBODY
}
