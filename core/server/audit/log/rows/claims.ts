// SPDX-License-Identifier: Apache-2.0
import { toHex } from '../../../../bytes/encoding.ts'
import type { ChainId, Digest } from '../../../../bytes/ids.ts'
import { decodeLeaf } from '../../../../block/leaf.ts'
import type { LogFinding, LogNotes } from '../report.ts'

/** Leaves that no row claims whose blocks are looked for, and findings that wait; there are none in a log that is in order. */
const MAX_KEPT = 65_536

/** A finding about a block that rows may be to blame for. */
export interface Deferred extends LogFinding {
  readonly chain: ChainId | Digest
  readonly height: number
}

/** What is known, while blocks are compared, of leaves whose rows are wrong or missing. */
export class Claims {
  /** Leaves that no row claims, by their bytes in hexadecimal. */
  readonly #unclaimed = new Map<string, number>()
  readonly #unclaimedLabels = new Map<string, string>()
  /** Leaves that a row claims for a block that they are not of. */
  readonly #disowned = new Map<string, number>()
  /** Leaves of which the block is known, a bit each. */
  readonly #explained: Uint8Array
  readonly deferred: Deferred[] = []
  /** Findings beyond those that are kept. */
  unkept = 0
  #isFull = false

  constructor(size: number) {
    this.#explained = new Uint8Array(Math.ceil(size / 8))
  }

  clearUnclaimed(): void {
    this.#unclaimed.clear()
    this.#unclaimedLabels.clear()
    this.#isFull = false
  }

  addUnclaimed(entry: Uint8Array, leaf: number): void {
    if (this.#unclaimed.size === MAX_KEPT) {
      this.#isFull = true
      return
    }
    const name = toHex(entry)
    this.#unclaimed.set(name, leaf)
    if (entry.length > 32) this.#unclaimedLabels.set(labelName(entry), name)
  }

  /** True where there are more leaves that no row claims than are kept. */
  get isFull(): boolean {
    return this.#isFull
  }

  get hasUnclaimed(): boolean {
    return this.#unclaimed.size > 0
  }

  get hasDisowned(): boolean {
    return this.#disowned.size > 0
  }

  isUnclaimedLabel(label: Uint8Array): boolean {
    return this.#unclaimedLabels.has(toHex(label))
  }

  /** The leaf with these bytes, if no row claims it rightly. */
  find(name: string): number | null {
    return this.#unclaimed.get(name) ?? this.#disowned.get(name) ?? null
  }

  disown(entry: Uint8Array, leaf: number): void {
    this.#disowned.set(toHex(entry), leaf)
  }

  /** Notes that the block of a leaf is known. */
  explain(leaf: number): void {
    const byte = Math.floor(leaf / 8)
    this.#explained[byte] = (this.#explained[byte] ?? 0) | (1 << (leaf % 8))
  }

  isExplained(leaf: number): boolean {
    return ((this.#explained[Math.floor(leaf / 8)] ?? 0) & (1 << (leaf % 8))) !== 0
  }

  defer(finding: Deferred): void {
    if (this.deferred.length < MAX_KEPT) this.deferred.push(finding)
    else this.unkept++
  }

  /** Says of which leaves no stored block is known. */
  noteUnknown(notes: LogNotes): void {
    for (const leaf of this.#unclaimed.values())
      if (!this.isExplained(leaf))
        notes.find('leaf-unknown', 'tampered', `leaf ${leaf}`, 'no stored block is the one of this leaf')
  }
}

function labelName(entry: Uint8Array): string {
  return toHex(decodeLeaf(entry).label)
}
