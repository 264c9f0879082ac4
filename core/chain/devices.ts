// SPDX-License-Identifier: Apache-2.0
import type { Kid } from '../bytes/ids.ts'
import type { Controllers } from '../block/block.ts'
import type { ParsedBlock } from '../block/open-block.ts'
import { thumbprint } from '../crypto/jwk.ts'
import type { PublicJwk } from '../ports/keys.ts'

/**
 * Keys of the devices that control states and blocks list, by key id. A key is bound to its id by its
 * thumbprint, so where it was found does not matter; whether it counts is the reducer's business. One that is
 * listed under the id of another is left out: it would stand before the key that has this id.
 */
export function deviceKeys(sources: readonly (Controllers | ParsedBlock | null)[]): Map<Kid, PublicJwk> {
  const keys = new Map<Kid, PublicJwk>()
  for (const source of sources) {
    const members = source && ('members' in source ? source.members : controllersIn(source)?.members)
    for (const member of members ?? []) {
      if (member.kind === 'device' && thumbprint(member.jwk) === member.kid) keys.set(member.kid, member.jwk)
    }
  }
  return keys
}

/** The controllers that a block sets; null where it leaves those that there are. */
export function controllersIn(parsed: ParsedBlock): Controllers | null {
  return 'controllers' in parsed.block.body ? parsed.block.body.controllers : null
}
