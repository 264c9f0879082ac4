// SPDX-License-Identifier: Apache-2.0
import { checkpointIn } from '../../log/note/checkpoint.ts'
import type { MovedReceipts } from '../store/moved-receipts.ts'
import type { HomeSource } from './source.ts'

/**
 * An older copy of a home, and a newer one that has what it lacks: later blocks, among them those that order erasures, and
 * the newest checkpoint. Each part comes from the older where it has it. Nothing is decided here about which of two that
 * differ is right: whoever takes it verifies all of it.
 */
export function layeredSource(older: HomeSource, newer: HomeSource): HomeSource {
  return {
    registryBlocks: (from) =>
      goingOn(
        from,
        (height) => older.registryBlocks(height),
        (height) => newer.registryBlocks(height),
      ),
    blocks: (chain, from) =>
      goingOn(
        from,
        (height) => older.blocks(chain, height),
        (height) => newer.blocks(chain, height),
      ),
    chains: async (from) => {
      const pages = await Promise.all([older.chains(from), newer.chains(from)])
      // Only up to where both were read is it known which chains there are.
      const next = pages
        .flatMap((page) => page.next ?? [])
        .reduce<(typeof pages)[0]['next']>((a, b) => (a === null || b < a ? b : a), null)
      const heights = new Map<(typeof pages)[0]['items'][0]['chain'], number>()
      for (const { chain, height } of pages.flatMap(({ items }) => items))
        if (next === null || chain < next) heights.set(chain, Math.max(height, heights.get(chain) ?? -1))
      const items = [...heights].map(([chain, height]) => ({ chain, height }))
      return { items: items.toSorted((a, b) => (a.chain < b.chain ? -1 : 1)), next }
    },
    keyRow: async (chain, name) => (await older.keyRow(chain, name)) ?? newer.keyRow(chain, name),
    object: async (chain, root, maxBytes) =>
      (await older.object(chain, root, maxBytes)) ?? newer.object(chain, root, maxBytes),
    blockKeys: async (chain, height) => {
      const keys = await older.blockKeys(chain, height)
      return keys.packages.length > 0 || keys.labelKey !== null ? keys : newer.blockKeys(chain, height)
    },
    erased: async (chain) => [...new Set([...(await older.erased(chain)), ...(await newer.erased(chain))])],
    moved: async (chain) => bothMoved(await older.moved(chain), await newer.moved(chain)),
    checkpoint: async () => {
      const [first, second] = [await older.checkpoint(), await newer.checkpoint()]
      if (first === null || second === null) return first ?? second
      return checkpointIn(second).size > checkpointIn(first).size ? second : first
    },
    witnessed: async (from) => {
      const page = await newer.witnessed(from)
      return page.items.length > 0 ? page : older.witnessed(from)
    },
    logFile: async (path) => (await older.logFile(path)) ?? newer.logFile(path),
  }
}

function bothMoved(older: MovedReceipts, newer: MovedReceipts): MovedReceipts {
  const notes = new Set([...older.notes, ...newer.notes])
  return { receipts: [...older.receipts, ...newer.receipts], notes: [...notes] }
}

/** Pages of the older one while it has any; whoever asks goes on until a page is empty. */
async function goingOn<P extends { readonly items: readonly unknown[]; readonly next: number | null }>(
  from: number,
  older: (from: number) => Promise<P>,
  newer: (from: number) => Promise<P>,
): Promise<P> {
  const page = await older(from)
  if (page.items.length > 0) return { ...page, next: from + page.items.length }
  return newer(from)
}
