// SPDX-License-Identifier: Apache-2.0
import { toHex } from '#core/bytes/encoding.ts'
import { decodeLeaf } from '#core/block/leaf.ts'
import { decodeBundle } from '#core/log/tile/bundle.ts'
import { decodeStaging, type LoggedRun } from '#core/server/sequence/staging.ts'
import { Violation } from '../../sequencer-steps.ts'

/** A block that is appended in a trace, as the home and as the model name it. */
export interface Appended {
  /** Name in the model. */
  readonly name: string
  readonly chain: number
  /** Above what the chain has when the trace begins. */
  readonly height: number
  readonly id: string
  /** Hash of its leaf, in hexadecimal. */
  readonly hash: string
}

/** What a trace begins with. */
export interface Beginning {
  /** Ids of the chains, in the model's order. */
  readonly chains: readonly string[]
  /** Blocks that each has and that are logged. */
  readonly heights: readonly number[]
  /** Leaves of the log, all in its first bundle. */
  readonly size: number
  readonly blocks: readonly Appended[]
}

/** Leads from names and bytes of the home to those of the model. */
export class Names {
  readonly #at: Beginning
  readonly #byHash: ReadonlyMap<string, string>

  constructor(at: Beginning) {
    this.#at = at
    this.#byHash = new Map(at.blocks.map(({ hash, name }) => [hash, name]))
  }

  /** Leaves that were there before. */
  get size(): number {
    return this.#at.size
  }

  /** Index of a chain in the model; -1 for the registry and others, which the model leaves out. */
  chain(id: unknown): number {
    return this.#at.chains.indexOf(String(id))
  }

  /** The shard in which the marks of a chain are. */
  shard(chain: number): string {
    return (this.#at.chains[chain] ?? '').slice(0, 1)
  }

  /** Height in the model. */
  height(chain: number, height: number): number {
    return height - (this.#at.heights[chain] ?? 0)
  }

  /** The append whose block has this id. */
  append(id: string): number {
    const found = this.#at.blocks.findIndex((block) => block.id === id)
    if (found < 0) throw new Violation('a block of no append')
    return found
  }

  block(append: number): Appended {
    const found = this.#at.blocks[append]
    if (!found) throw new Violation('a block of no append')
    return found
  }

  /** What a staging bundle promises: leaves from the first of the trace on, files and rows. */
  staged(bytes: Uint8Array): {
    readonly leaves: readonly string[]
    readonly paths: readonly string[]
    readonly runs: readonly LoggedRun[]
  } {
    const { files, runs } = decodeStaging(bytes)
    const bundle = files.find(({ path }) => path.startsWith('tile/entries/000'))
    const width = Number(bundle?.path.split('/').at(-1))
    const entries = bundle ? decodeBundle(bundle.bytes, width) : []
    const leaves = entries.slice(this.#at.size).map((entry) => {
      const name = this.#byHash.get(toHex(decodeLeaf(entry).hash))
      if (name === undefined) throw new Violation('a leaf of no block')
      return name
    })
    return { leaves, paths: files.map(({ path }) => path), runs }
  }
}
