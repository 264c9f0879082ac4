// SPDX-License-Identifier: Apache-2.0
import { toHex } from '../../../../bytes/encoding.ts'
import type { ChainId, Digest } from '../../../../bytes/ids.ts'
import { encodeLeaf } from '../../../../block/leaf.ts'
import { leafHash } from '../../../../log/merkle.ts'
import { TILE_WIDTH } from '../../../../log/tile/path.ts'
import type { Home } from '../../../home.ts'
import type { LogAuditPorts } from '../needs.ts'
import type { Run } from '../report.ts'
import { runsOf } from '../rows/coverage.ts'
import { walkChain } from './walk-chain.ts'

/** Bundles that are made anew at a time, 17 kB each. */
const MAX_BUNDLES = 1024

/** A bundle whose entries are wanted. */
export interface Wanted {
  readonly index: number
  /** Entries that it has. */
  readonly width: number
  readonly path: string
  /** The leaf hashes that it must have; null where they are not known, so that rows say which block is where. */
  readonly hashes: readonly Uint8Array[] | null
}

interface Recovering {
  readonly ports: LogAuditPorts
  readonly home: Home
  readonly chains: () => AsyncIterable<ChainId | Digest>
}

/**
 * Computes the entries of bundles from stored blocks, their states and label keys. Where leaf hashes are given, what is
 * found has them; else it is where rows of `leaves` say, and only a tree with the signed root makes it more than a guess.
 * @returns for each bundle its entries, or why it cannot be made
 */
export async function recoverBundles(
  at: Recovering,
  bundles: readonly Wanted[],
): Promise<readonly (readonly Uint8Array[] | string)[]> {
  const places = new Places(bundles.slice(0, MAX_BUNDLES))
  for await (const chain of at.chains()) {
    const runs: Run[] = []
    if (places.hasRows)
      for await (const { run } of runsOf(at.ports.tables.leaves, chain, 0))
        if (run && places.isWanted(run)) runs.push(run)
    if (runs.length === 0 && !places.hasHashes) continue
    await walkChain(at, chain, ({ height, label, hash }) => {
      if (!label || !hash) return
      const entry = encodeLeaf({ label, hash })
      if (places.hasHashes) places.putByHash(entry)
      while (runs[0] && height >= runs[0].from + runs[0].count) runs.shift()
      const [run] = runs
      if (run && height >= run.from) places.putAt(run.index + height - run.from, entry)
    })
  }
  return bundles.map((wanted) => places.entriesOf(wanted))
}

/** Where entries are wanted, and those that were found. */
class Places {
  readonly #byHash = new Map<string, number[]>()
  readonly #entries = new Map<number, (Uint8Array | null)[]>()
  readonly #byRow = new Set<number>()

  constructor(bundles: readonly Wanted[]) {
    for (const { index, width, hashes } of bundles) {
      this.#entries.set(
        index,
        Array.from({ length: width }, () => null),
      )
      if (!hashes) this.#byRow.add(index)
      for (const [i, hash] of (hashes ?? []).entries()) {
        const name = toHex(hash)
        this.#byHash.set(name, [...(this.#byHash.get(name) ?? []), index * TILE_WIDTH + i])
      }
    }
  }

  get hasHashes(): boolean {
    return this.#byHash.size > 0
  }

  get hasRows(): boolean {
    return this.#byRow.size > 0
  }

  isWanted({ index, count }: Run): boolean {
    for (const bundle of this.#byRow) {
      const first = bundle * TILE_WIDTH
      if (index < first + TILE_WIDTH && index + count > first) return true
    }
    return false
  }

  putByHash(entry: Uint8Array): void {
    for (const leaf of this.#byHash.get(toHex(leafHash(entry))) ?? []) this.#put(leaf, entry)
  }

  putAt(leaf: number, entry: Uint8Array): void {
    if (this.#byRow.has(Math.floor(leaf / TILE_WIDTH))) this.#put(leaf, entry)
  }

  #put(leaf: number, entry: Uint8Array): void {
    const entries = this.#entries.get(Math.floor(leaf / TILE_WIDTH))
    if (entries && leaf % TILE_WIDTH < entries.length) entries[leaf % TILE_WIDTH] = entry
  }

  entriesOf({ index }: Wanted): readonly Uint8Array[] | string {
    const entries = this.#entries.get(index)
    if (!entries) return `more than ${MAX_BUNDLES} bundles are wrong: repair those first`
    const known = entries.filter((entry) => entry !== null)
    if (known.length === entries.length) return known
    const first = index * TILE_WIDTH + entries.indexOf(null)
    const lacking = entries.length - known.length
    return `it cannot be made from blocks: of ${lacking} of its leaves, the first ${first}, no block with a label key is stored`
  }
}
