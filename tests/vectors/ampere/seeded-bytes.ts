// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import type { Random } from '#core/ports/keys.ts'

/** The seed of the vectors in this folder. */
export const SEED = 'ampere vectors 1'

/** SHA-256 in counter mode: other languages can draw the same bytes. Block b of call n is SHA-256(seed/n/b). */
export function seededBytes(seed: string): Random {
  let call = 0
  return (length) => {
    const out = new Uint8Array(length)
    for (let at = 0, block = 0; at < length; at += 32, block++) {
      const digest = createHash('sha256').update(`${seed}/${call}/${block}`).digest()
      out.set(digest.subarray(0, length - at), at)
    }
    call++
    return out
  }
}
