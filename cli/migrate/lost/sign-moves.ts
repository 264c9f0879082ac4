// SPDX-License-Identifier: Apache-2.0
import type { Home } from '#core/block/block.ts'
import type { OpenedBlock } from '#core/block/open-block.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { signMove } from '#core/client/acts/move-chain.ts'
import type { Platform } from '#core/ports/needs.ts'
import type { RegistryHistory } from '#core/registry/history.ts'
import type { HomeSource } from '#core/server/copy/source.ts'
import { chainsToMove, isAt, storedChains, type Homes } from '../chains.ts'
import { approversOf, type Controller } from '../move-records.ts'

/** A block that no home has yet. */
export interface Rehome {
  readonly height: number
  readonly compact: string
}

/**
 * Signs the rehome of every chain that is at a home that is gone, for the new home alone. One that the new home has already is
 * not signed again: two would be two histories.
 * @returns the rehomes that the new home lacks, by chain
 */
export async function signMoves(
  gone: Platform,
  platform: Platform,
  controllers: readonly Pick<Controller, 'institution'>[],
  registry: RegistryHistory,
  homes: Homes & { readonly to: Home },
): Promise<ReadonlyMap<ChainId, Rehome>> {
  const there = new Set<ChainId>()
  for await (const { chain, state } of storedChains(platform)) if (isAt(state, homes.to)) there.add(chain)
  const signed = new Map<ChainId, Rehome>()
  for await (const { chain, head, state } of chainsToMove(gone, homes)) {
    if (there.has(chain)) continue
    const { first, approvers } = approversOf(chain, state, controllers)
    const [author] = first.institution.instances
    if (!author) throw new RangeError('who approves has an instance')
    const end = {
      chain,
      link: { opened: head as OpenedBlock, state },
      head: { registry: registry.newest().head },
    }
    const block = await signMove({ ports: platform, registry, author, approvers }, end, homes.to)
    signed.set(chain, { height: block.block.height, compact: block.compact })
  }
  return signed
}

/** A copy of a home with these blocks behind the ends of their chains. */
export function withEnds(source: HomeSource, ends: ReadonlyMap<ChainId, Rehome>): HomeSource {
  return {
    ...source,
    blocks: async (chain, from) => {
      const page = await source.blocks(chain, from)
      const end = ends.get(chain)
      if (end?.height !== from + page.items.length) return page
      return { ...page, items: [...page.items, end.compact] }
    },
  }
}
