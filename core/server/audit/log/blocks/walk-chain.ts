// SPDX-License-Identifier: Apache-2.0
import type { ChainId, Digest } from '../../../../bytes/ids.ts'
import { leafLabel } from '../../../../block/leaf.ts'
import { sha256 } from '../../../../crypto/hash.ts'
import type { Row } from '../../../../ports/table.ts'
import type { Home } from '../../../home.ts'
import { REGISTRY_PARTITION } from '../../../store/registry.ts'
import { heightKey } from '../../../store/rows.ts'
import type { LogAuditPorts } from '../needs.ts'
import { chainLabels, registryLabels, type LabelKeys } from './label-keys.ts'

const PAGE = 64
/** Heights behind each other of which no block is stored that are looked at. */
const MAX_LOST = 1024

/** What the leaf of a block is, by what is stored. */
export interface Expected {
  readonly height: number
  /** Null where its key is not known. */
  readonly label: Uint8Array | null
  /** SHA-256 of the block; null where it is not stored. */
  readonly hash: Uint8Array | null
}

interface Walking {
  readonly ports: LogAuditPorts
  readonly home: Home
}

/** Labels of a chain, or of the registry, from a height on. */
export function labelsOf(
  { ports, home }: Walking,
  chain: ChainId | Digest,
  height: number,
): Promise<LabelKeys> {
  const { pinned } = home.registry
  return chain === pinned
    ? Promise.resolve(registryLabels(pinned))
    : chainLabels(ports, chain as ChainId, height)
}

/** Rows of blocks from a height on, a page at a time; a row whose key is no height is none. */
export async function* blockRows(
  { ports, home }: Walking,
  chain: ChainId | Digest,
  height: number,
): AsyncGenerator<{ readonly height: number; readonly row: Row }> {
  for (let from = heightKey(height); ;) {
    const range = { from, limit: PAGE }
    const rows =
      chain === home.registry.pinned
        ? await ports.tables.registry.range(REGISTRY_PARTITION, range)
        : await ports.tables.blocks.range(chain, range)
    for (const row of rows) {
      const at = Number(row.key)
      if (Number.isSafeInteger(at) && row.key === heightKey(at)) yield { height: at, row }
    }
    const last = rows.at(-1)
    if (!last) return
    from = `${last.key}\u0000`
  }
}

/**
 * Shows what leaves the blocks of a chain have, in order of height, also of those that are not stored between others.
 * @returns the height behind the newest one, and what labels a block there
 */
export async function walkChain(
  at: Walking,
  chain: ChainId | Digest,
  see: (expected: Expected) => void,
): Promise<{ readonly height: number; readonly key: Uint8Array | null }> {
  const labels = await labelsOf(at, chain, 0)
  let next = 0
  for await (const { height, row } of blockRows(at, chain, 0)) {
    if (next < height) {
      const key = await labels.lost()
      for (let lost = next; lost < Math.min(height, next + MAX_LOST); lost++)
        see({ height: lost, label: key && leafLabel(key, chain, lost), hash: null })
    }
    const { key } = await labels.next(row)
    see({ height, label: key && leafLabel(key, chain, height), hash: sha256(row.value) })
    next = height + 1
  }
  return { height: next, key: await labels.lost() }
}
