// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '../../bytes/ids.ts'
import { chainsOf, type HomeSource } from '../copy/source.ts'
import { compareChain, type Pair } from './compare-chain.ts'
import { compareLogs, compareRegistries } from './compare-log.ts'
import { newTally, type Comparison, type Tally } from './report.ts'

/** How two homes are compared. */
export interface CompareOptions {
  /**
   * The second is a later state of the same home: it may have more, and may have destroyed what the first still has. Whether
   * that was ordered an audit of it says. Without it both must be the same in every byte.
   */
  readonly isLater?: boolean
  /** The second is another home with the same chains: its log is another one. */
  readonly hasOwnLog?: boolean
  /** Is told how many blocks were compared. */
  readonly progress?: (blocks: number) => void
}

/**
 * Compares all that two homes, copies or backups hold: every block of every chain with its key row, object, packages, label key
 * and statements, the registry, the published tree with each tile and bundle, and the witnessed checkpoints, byte by byte. Neither is
 * verified by it: two that are the same can be wrong together. Cosignatures on the newest tree come and go, and are not compared.
 */
export async function compareHomes(
  first: HomeSource,
  second: HomeSource,
  { isLater = false, hasOwnLog = false, progress }: CompareOptions = {},
): Promise<Comparison> {
  const tally = newTally()
  const pair: Pair = { first, second, isLater, hasOwnLog }
  await compareRegistries(pair, tally)
  await compareChains(pair, tally, progress)
  if (!hasOwnLog) await compareLogs(pair, tally)
  return tally.report()
}

/** True where nothing differs. */
export function areEqual({ differences, unlisted }: Comparison): boolean {
  return differences.length === 0 && unlisted === 0
}

/** Both list their chains in the order of ids. */
async function compareChains(
  pair: Pair,
  tally: Tally,
  progress: ((blocks: number) => void) | undefined,
): Promise<void> {
  const [first, second] = [chainsOf(pair.first), chainsOf(pair.second)].map((chains) =>
    chains[Symbol.asyncIterator](),
  ) as [AsyncIterator<ChainId>, AsyncIterator<ChainId>]
  let [a, b] = [await first.next(), await second.next()]
  while (a.done !== true || b.done !== true) {
    const [left, right] = [a.done === true ? null : a.value, b.done === true ? null : b.value]
    const isSame = left !== null && left === right
    if (isSame) await compareChain(pair, left, tally)
    else if (left !== null && (right === null || left < right)) tally.differs('chain', left, 'missing')
    else if (!pair.isLater) tally.differs('chain', right ?? '', 'added')
    progress?.(tally.report().blocks)
    if (left !== null && (right === null || left <= right)) a = await first.next()
    if (right !== null && (left === null || right <= left)) b = await second.next()
  }
}
