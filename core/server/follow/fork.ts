// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, utf8 } from '../../bytes/encoding.ts'
import type { Digest } from '../../bytes/ids.ts'
import { digestOf } from '../../crypto/hash.ts'
import { brokenRule } from '../../errors.ts'
import type { ReadTable } from '../../ports/table.ts'
import { createRegistryHistory } from '../../registry/history.ts'
import type { Home } from '../home.ts'
import { REGISTRY_PARTITION } from '../store/registry.ts'
import { BLOCKS_END, heightKey } from '../store/rows.ts'
import type { AskForBlocks } from './registry-home.ts'

/** Where two histories of a registry part, with the block of each there. */
export interface Parting {
  readonly height: number
  readonly own: string
  readonly other: string
}

/** The id of a block by its bytes alone; a block that is none has one too. */
export function idOf(compact: string): Digest {
  return digestOf(utf8(compact.slice(0, compact.lastIndexOf('.'))))
}

/**
 * Finds where what a home shows parts from what this one has, of which the block at `height` differs, and proves that both blocks
 * there follow the same one. Asks as often as the height has binary digits.
 * @throws AmpereError VERIFICATION_FAILED, SIGNATURE_INVALID and others for what is no block that may follow: that is no second
 *   history, whoever shows it
 */
export async function findParting(
  registry: ReadTable,
  home: Home,
  height: number,
  ask: AskForBlocks,
): Promise<Parting> {
  const own = await ownBlocks(registry, height)
  const shown = async (at: number): Promise<string> => {
    const [compact] = (await ask(at, 1)).items
    if (compact === undefined) throw withheld()
    return compact
  }
  let [low, high] = [0, height]
  while (low < high) {
    const middle = (low + high) >> 1
    if (idOf(await shown(middle)) === idOf(own[middle] ?? '')) low = middle + 1
    else high = middle
  }
  const other = await shown(low)
  if (idOf(other) === idOf(own[low] ?? '')) throw brokenRule('prev', 'what is shown differs from itself')
  const history = createRegistryHistory(home.registry.pinned, home.verifiers)
  for (const compact of own.slice(0, low)) await history.add(compact)
  await history.add(other)
  return { height: low, own: own[low] ?? '', other }
}

/** The refusal of a home that shows less than it showed before. */
export function withheld(): ReturnType<typeof brokenRule> {
  return brokenRule('withheld', 'the home of the registry holds back blocks that are known here')
}

async function ownBlocks(registry: ReadTable, height: number): Promise<readonly string[]> {
  const blocks: string[] = []
  while (blocks.length <= height) {
    const range = { from: heightKey(blocks.length), to: BLOCKS_END }
    const rows = await registry.range(REGISTRY_PARTITION, range)
    if (rows.length === 0) break
    blocks.push(...rows.map(({ value }) => fromUtf8(value)))
  }
  return blocks
}
