// SPDX-License-Identifier: Apache-2.0
import { canonicalBytes } from '../../bytes/canonical-json.ts'
import { toBase64url } from '../../bytes/encoding.ts'
import { equalBytes } from '../../bytes/frame.ts'
import type { ChainId, Digest } from '../../bytes/ids.ts'
import { compactHash, leafLabel } from '../../block/leaf.ts'
import { AmpereError } from '../../errors.ts'
import type { AppendTable } from '../../ports/table.ts'
import { heightKey } from '../store/rows.ts'
import { broke } from '../copy/copy-chain.ts'
import type { RestoredLog } from './restore-log.ts'

/** Consecutive blocks at consecutive indexes. */
interface Run {
  readonly from: number
  count: number
  readonly index: number
}

/** Finds the blocks of one chain, or of the registry, in the log, in order of height. */
export interface LeafFinder {
  /**
   * Takes the next block. @returns false from the first block on that is not logged
   * @throws AmpereError VERIFICATION_FAILED, rule `log-forked`, when the log has another block in its place
   */
  next(labelKey: Uint8Array, compact: string): boolean
  /**
   * True when the log has a block after the last one that was taken: it was acknowledged, and is lost. Its place is kept, and
   * that of those after it, so that no other block is ever logged with their labels. Behind a lost new epoch labels are
   * made with a key that is lost too, and that no other block will be labelled with.
   */
  hasLostNext(labelKey: Uint8Array): boolean
  /** Stores where the blocks are. @throws AmpereError ALREADY_EXISTS where other places are stored already */
  store(leaves: AppendTable): Promise<void>
}

/** Makes a finder of a chain's leaves. */
export function leafFinder({ places }: RestoredLog, chain: ChainId | Digest): LeafFinder {
  const runs: Run[] = []
  let height = 0
  let isLogged = true
  const take = (labelKey: Uint8Array) => {
    const name = toBase64url(leafLabel(labelKey, chain, height))
    const place = places.get(name)
    places.delete(name)
    return place
  }
  const put = (index: number) => {
    const last = runs.at(-1)
    if (last && index === last.index + last.count) last.count++
    else if (last && index < last.index) throw forked('a block is logged before the one that it follows')
    else runs.push({ from: height, count: 1, index })
    height++
  }
  const forked = (detail: string) => broke('log-forked', chain as ChainId, height, detail)
  return {
    next: (labelKey, compact) => {
      const place = take(labelKey)
      if (!place) {
        isLogged = false
        height++
        return false
      }
      if (!isLogged) throw forked('a block is logged, and one that it follows is not')
      if (!equalBytes(place.hash, compactHash(compact)))
        throw forked('the log has another block in its place')
      put(place.index)
      return true
    },
    hasLostNext: (labelKey) => {
      let isLost = false
      for (let place = take(labelKey); place; place = take(labelKey)) {
        isLost = true
        if (!isLogged) return true
        put(place.index)
      }
      return isLost
    },
    store: async (leaves) => {
      for (const { from, count, index } of runs)
        await putSame(leaves, chain, heightKey(from), canonicalBytes({ v: 1, count, index }))
    },
  }
}

/** Places of another copy must not stay: with fewer of them than there are, blocks would be logged a second time. */
async function putSame(leaves: AppendTable, chain: string, key: string, value: Uint8Array): Promise<void> {
  if ((await leaves.insert(chain, key, value)) === 'inserted') return
  const row = await leaves.get(chain, key)
  if (!row || !equalBytes(row.value, value))
    throw new AmpereError('ALREADY_EXISTS', 'what was restored before is of another copy; begin anew')
}
