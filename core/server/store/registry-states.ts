// SPDX-License-Identifier: Apache-2.0
import { canonicalize } from '../../bytes/canonical-json.ts'
import { toBase64url } from '../../bytes/encoding.ts'
import type { Digest } from '../../bytes/ids.ts'
import { recordKey, type RegistryRecord } from '../../registry/records.ts'
import type { RegistryLink } from '../../registry/reduce.ts'
import { bucketIndex, BUCKETS, emptyState, type RecordProof } from '../../registry/state.ts'

const HASH_BYTES = 32
/** Hashes in one piece of memory: 32 KiB. */
const PIECE_HASHES = 1024

/** What one place of the tree held, and the heights from which on it did, in order. */
interface Versions<T> {
  readonly heights: number[]
  readonly values: T[]
}

/**
 * The registry's state at every height, each had in the same time: every node of its tree keeps each hash that it ever
 * had. A block adds the nodes above the buckets that it changed, whose hashes were made when it was judged; nothing is
 * hashed for a proof. It grows with what the registry's members sign, by about 1.2 kB per changed record, and by nothing
 * that is asked.
 */
export class RegistryStates {
  readonly #buckets = new Map<number, Versions<readonly RegistryRecord[]>>()
  /** Nodes as in a heap: 1 is the root, 2n and 2n + 1 are below n. Values are places of hashes in `#pieces`. */
  readonly #nodes = new Map<number, Versions<number>>()
  readonly #pieces: Uint8Array[] = []
  #hashCount = 0
  #height = -1

  /** Height of the newest block that was added, -1 while there is none. */
  height(): number {
    return this.#height
  }

  /** Adds the registry after its next block. @throws RangeError for another block than the next */
  add({ state, changed, place: { height } }: RegistryLink): void {
    if (height !== this.#height + 1) throw new RangeError('registry blocks are added one after the other')
    const buckets = new Set(changed.map((record) => bucketIndex(recordKey(record))))
    const nodes = new Set<number>()
    for (const bucket of buckets) {
      addVersion(this.#buckets, bucket, height, state.buckets.get(bucket) ?? [])
      for (let node = BUCKETS + bucket; node >= 1; node >>= 1) nodes.add(node)
    }
    for (const node of nodes) addVersion(this.#nodes, node, height, this.#keep(hashIn(state.levels, node)))
    this.#height = height
  }

  /**
   * Proves what the registry said of a key at a height, and says which root that leads to.
   * @throws RangeError for a height that was not added
   */
  prove(height: number, key: string): { readonly proof: RecordProof; readonly root: Digest } {
    if (height < 0 || height > this.#height) throw new RangeError('there is no such registry block')
    const bucket = bucketIndex(key)
    const hashes: string[] = []
    for (let node = BUCKETS + bucket; node > 1; node >>= 1)
      hashes.push(toBase64url(this.#hashAt(node ^ 1, height)))
    const records = versionAt(this.#buckets.get(bucket), height) ?? []
    return {
      proof: { bucket: canonicalize(records), hashes },
      root: toBase64url(this.#hashAt(1, height)) as Digest,
    }
  }

  /** A node that no block changed yet is that of a state without records. */
  #hashAt(node: number, height: number): Uint8Array {
    const at = versionAt(this.#nodes.get(node), height)
    if (at === null) return hashIn(emptyState().levels, node)
    const start = (at % PIECE_HASHES) * HASH_BYTES
    const piece = this.#pieces[Math.floor(at / PIECE_HASHES)] ?? new Uint8Array(0)
    return piece.subarray(start, start + HASH_BYTES)
  }

  /** Copies a hash: an array of its own would take four times as much. @returns its place */
  #keep(hash: Uint8Array): number {
    const at = this.#hashCount++
    if (at % PIECE_HASHES === 0) this.#pieces.push(new Uint8Array(PIECE_HASHES * HASH_BYTES))
    this.#pieces.at(-1)?.set(hash, (at % PIECE_HASHES) * HASH_BYTES)
    return at
  }
}

/** Levels of a state begin with the buckets, and nodes with the root. */
function hashIn(levels: readonly (readonly Uint8Array[])[], node: number): Uint8Array {
  const depth = 31 - Math.clz32(node)
  return levels[levels.length - 1 - depth]?.[node - 2 ** depth] ?? new Uint8Array(0)
}

function addVersion<T>(all: Map<number, Versions<T>>, place: number, height: number, value: T): void {
  const versions = all.get(place)
  if (!versions) {
    all.set(place, { heights: [height], values: [value] })
    return
  }
  versions.heights.push(height)
  versions.values.push(value)
}

/** The last version that is not later than `height`; null when the first one is. */
function versionAt<T>(versions: Versions<T> | undefined, height: number): T | null {
  if (!versions) return null
  let [low, high] = [0, versions.heights.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((versions.heights[middle] ?? Infinity) <= height) low = middle + 1
    else high = middle
  }
  return low === 0 ? null : (versions.values[low - 1] ?? null)
}
