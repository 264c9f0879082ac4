// SPDX-License-Identifier: Apache-2.0
import { brokenRule } from '../../errors.ts'
import type { RegistryHistory } from '../../registry/history.ts'
import type { HomeApi } from '../home-api.ts'

/** A registry that also remembers its blocks as they were signed: what a home showed once, it cannot hold back later. */
export interface RememberedRegistry extends RegistryHistory {
  /** Every block that was verified, from the genesis. */
  readonly blocks: () => readonly string[]
}

/** Remembers what is added to a history that is still empty. */
export function rememberBlocks(history: RegistryHistory): RememberedRegistry {
  const blocks: string[] = []
  return {
    ...history,
    blocks: () => [...blocks],
    add: async (compact) => {
      const opened = await history.add(compact)
      blocks.push(compact)
      return opened
    },
  }
}

/**
 * The blocks of the registry as the home serves them now, page after page, unchecked.
 * @param from height of the first one
 * @param below height before which to end, for a caller that does not verify each: a home may serve them without end
 * @throws AmpereError VERIFICATION_FAILED (rule `withheld`) for a page that says that there is more and has nothing
 */
export async function* registryBlocks(
  api: Pick<HomeApi, 'registryBlocks'>,
  from: number,
  below: number = Infinity,
): AsyncGenerator<string> {
  for (let height = from; height < below;) {
    const { items, next } = await api.registryBlocks(height)
    const wanted = items.slice(0, below - height)
    yield* wanted
    height += wanted.length
    if (next === null) return
    // A page without any could be followed by the same for ever.
    if (items.length === 0) throw brokenRule('withheld', 'the home holds back blocks of the registry')
  }
}
