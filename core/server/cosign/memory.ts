// SPDX-License-Identifier: Apache-2.0
import type { Checkpoint } from '../../log/note/checkpoint.ts'
import { Rests } from './rests.ts'

/** What a cosigner remembers between rounds; witnesses tell it again to whoever asks anew. */
export interface Memory {
  /** What each witness has, by URL. */
  readonly sizes: Map<string, number>
  /** URLs of witnesses that are ahead of this home: its stores are an older copy, or the witness lies. */
  readonly ahead: Set<string>
  /** URLs of those that say that what they were offered does not continue what they cosigned. */
  readonly refusing: Set<string>
  isBehind: boolean
  /** True once it was judged whether this home is behind, by the answers of all witnesses that gave one. */
  hasLooked: boolean
  /** A tree that the log signed, which a witness showed and this home did not have. */
  proof: Checkpoint | null
  readonly rests: Rests
  /** Of those who are asked to show what they have. */
  readonly looks: Rests
  /** The published note with a quorum of which it was seen that it, or one that does as well, is kept for receipts. */
  kept: string | null
}

export function emptyMemory(): Memory {
  const [sizes, ahead, refusing] = [new Map<string, number>(), new Set<string>(), new Set<string>()]
  const [rests, looks] = [new Rests(), new Rests()]
  return { sizes, ahead, refusing, isBehind: false, hasLooked: false, proof: null, rests, looks, kept: null }
}
