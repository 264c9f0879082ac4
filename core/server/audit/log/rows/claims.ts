// SPDX-License-Identifier: Apache-2.0
import { toHex } from '../../../../bytes/encoding.ts'
import type { ChainId, Digest } from '../../../../bytes/ids.ts'
import { LABEL_BYTES } from '../../../../block/leaf.ts'
import type { LogFinding, LogNotes } from '../report.ts'

/** Leaves that no row claims whose blocks are looked for, and findings that wait; there are none in a log that is in order. */
const MAX_KEPT = 65_536

/** A finding about a block that rows may be to blame for. */
export interface Deferred extends LogFinding {
  readonly chain: ChainId | Digest
  readonly height: number
}

/** What `Claims` holds. */
export interface HeldClaims {
  /** Leaves that no row claims, by their bytes in hexadecimal. */
  readonly unclaimed: Map<string, number>
  /** Leaves that a row claims for a block that they are not of. */
  readonly disowned: Map<string, number>
  /** Leaves of which the block is known, a bit each. */
  readonly explained: Uint8Array
  readonly deferred: Deferred[]
  unkept: number
  isFull: boolean
}

/** Nothing, of a tree of this size. */
export function noClaims(size: number): HeldClaims {
  const explained = new Uint8Array(Math.ceil(size / 8))
  return { unclaimed: new Map(), disowned: new Map(), explained, deferred: [], unkept: 0, isFull: false }
}

/** What is known, while blocks are compared, of leaves whose rows are wrong or missing. */
export class Claims {
  readonly #unclaimedLabels = new Set<string>()
  readonly #held: HeldClaims

  constructor(held: HeldClaims) {
    this.#held = held
    for (const name of held.unclaimed.keys()) this.#unclaimedLabels.add(labelIn(name))
  }

  /** All that it holds, to be made again from. */
  get held(): HeldClaims {
    return this.#held
  }

  get deferred(): readonly Deferred[] {
    return this.#held.deferred
  }

  /** Findings beyond those that are kept. */
  get unkept(): number {
    return this.#held.unkept
  }

  clearUnclaimed(): void {
    this.#held.unclaimed.clear()
    this.#unclaimedLabels.clear()
    this.#held.isFull = false
  }

  addUnclaimed(entry: Uint8Array, leaf: number): void {
    if (this.#held.unclaimed.size === MAX_KEPT) {
      this.#held.isFull = true
      return
    }
    const name = toHex(entry)
    this.#held.unclaimed.set(name, leaf)
    this.#unclaimedLabels.add(labelIn(name))
  }

  /** True where there are more leaves that no row claims than are kept. */
  get isFull(): boolean {
    return this.#held.isFull
  }

  get hasUnclaimed(): boolean {
    return this.#held.unclaimed.size > 0
  }

  get hasDisowned(): boolean {
    return this.#held.disowned.size > 0
  }

  isUnclaimedLabel(label: Uint8Array): boolean {
    return this.#unclaimedLabels.has(toHex(label))
  }

  /** The leaf with these bytes, if no row claims it rightly. */
  find(name: string): number | null {
    return this.#held.unclaimed.get(name) ?? this.#held.disowned.get(name) ?? null
  }

  disown(entry: Uint8Array, leaf: number): void {
    this.#held.disowned.set(toHex(entry), leaf)
  }

  /** Notes that the block of a leaf is known. */
  explain(leaf: number): void {
    const byte = Math.floor(leaf / 8)
    this.#held.explained[byte] = (this.#held.explained[byte] ?? 0) | (1 << (leaf % 8))
  }

  isExplained(leaf: number): boolean {
    return ((this.#held.explained[Math.floor(leaf / 8)] ?? 0) & (1 << (leaf % 8))) !== 0
  }

  defer(finding: Deferred): void {
    if (this.deferred.length < MAX_KEPT) this.#held.deferred.push(finding)
    else this.#held.unkept++
  }

  /** Says of which leaves no stored block is known. */
  noteUnknown(notes: LogNotes): void {
    for (const leaf of this.#held.unclaimed.values())
      if (!this.isExplained(leaf))
        notes.find('leaf-unknown', 'tampered', `leaf ${leaf}`, 'no stored block is the one of this leaf')
  }
}

/** The label of a leaf, all in hexadecimal: it lies behind the byte of the version. */
function labelIn(name: string): string {
  return name.slice(2, 2 + 2 * LABEL_BYTES)
}
