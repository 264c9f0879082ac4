// SPDX-License-Identifier: Apache-2.0
import type { ChainId, Digest } from '../../../../bytes/ids.ts'
import { isAmpereError } from '../../../../errors.ts'
import type { ReadTable, Row } from '../../../../ports/table.ts'
import { parseLogged } from '../../../store/log.ts'
import { heightKey } from '../../../store/rows.ts'
import type { LogNotes, Run } from '../report.ts'

/**
 * Which leaves rows of the table `leaves` claim, and where runs end, as two bits per leaf: rows lie by chain, leaves by
 * index, and sorting a row for each leaf would take a thousand times the memory. As each leaf is claimed once, by one
 * height of one chain, and its label is that one's, no label occurs twice.
 */
export class Coverage {
  readonly from: number
  readonly size: number
  readonly #claimed: Uint8Array
  readonly #ends: Uint8Array

  constructor(
    from: number,
    size: number,
    bits?: { readonly claimed: Uint8Array; readonly ends: Uint8Array },
  ) {
    this.from = from
    this.size = size
    this.#claimed = bits?.claimed ?? new Uint8Array(Math.ceil((size - from) / 8))
    this.#ends = bits?.ends ?? new Uint8Array(Math.ceil((size - from) / 8))
  }

  /** All that it holds, to be made again from. */
  get bits(): { readonly claimed: Uint8Array; readonly ends: Uint8Array } {
    return { claimed: this.#claimed, ends: this.#ends }
  }

  /** @returns the first leaf of the run that another one claims already, or null */
  claim({ index, count }: Run): number | null {
    let twice: number | null = null
    for (let leaf = Math.max(index, this.from); leaf < Math.min(index + count, this.size); leaf++) {
      if (isSet(this.#claimed, leaf - this.from)) twice ??= leaf
      set(this.#claimed, leaf - this.from)
    }
    const end = index + count - 1
    if (end >= this.from && end < this.size) set(this.#ends, end - this.from)
    return twice
  }

  /** Whether a run ends with this leaf, so that the tree may have been published at the size after it. */
  endsAt(leaf: number): boolean {
    return isSet(this.#ends, leaf - this.from)
  }

  isClaimed(leaf: number): boolean {
    return isSet(this.#claimed, leaf - this.from)
  }

  /** True when every leaf of the bundles from `first` to before `end` is claimed: asked for each, so eight at a time. */
  isWhole(first: number, end: number): boolean {
    for (let leaf = first; leaf < end; leaf++) {
      const at = leaf - this.from
      if (at % 8 === 0 && leaf + 8 <= end && this.#claimed[at / 8] === 0xff) leaf += 7
      else if (!isSet(this.#claimed, at)) return false
    }
    return true
  }
}

function isSet(bits: Uint8Array, at: number): boolean {
  return ((bits[Math.floor(at / 8)] ?? 0) & (1 << (at % 8))) !== 0
}

function set(bits: Uint8Array, at: number): void {
  const byte = Math.floor(at / 8)
  bits[byte] = (bits[byte] ?? 0) | (1 << (at % 8))
}

/** A row as it is read: null where it is none. */
export interface ReadRun {
  readonly key: string
  readonly run: Run | null
}

/** Rows of a chain from its newest one before leaf `from`, in the order of height. */
export async function* runsOf(
  leaves: ReadTable,
  chain: ChainId | Digest,
  from: number,
): AsyncGenerator<ReadRun> {
  for (let key = await firstKey(leaves, chain, from); ;) {
    const rows = await leaves.range(chain, { from: key })
    for (const row of rows) yield { key: row.key, run: readRun(row) }
    const last = rows.at(-1)
    if (!last) return
    key = `${last.key}\u0000`
  }
}

/** Key of the newest row that begins before leaf `from`; empty where the whole chain is meant. */
async function firstKey(leaves: ReadTable, chain: ChainId | Digest, from: number): Promise<string> {
  if (from === 0) return ''
  for (let to: string | null = null; ;) {
    const rows: readonly Row[] = await leaves.range(chain, {
      reverse: true,
      limit: 20,
      ...(to === null ? {} : { to }),
    })
    const found = rows.find((row) => {
      const run = readRun(row)
      return run !== null && run.index < from
    })
    const last = rows.at(-1)
    if (found) return found.key
    if (!last) return ''
    to = last.key
  }
}

function readRun(row: Row): Run | null {
  try {
    const { from, count, index } = parseLogged(row)
    return row.key === heightKey(from) && count > 0 ? { from, count, index } : null
  } catch (error) {
    if (isAmpereError(error)) return null
    throw error
  }
}

/** Rows of a chain that were taken in. */
export interface Covered {
  /** The size that the tree must have at least for all of them, and the row that says so. */
  readonly size: number
  readonly where: string
  /** True when something is wrong with them. */
  readonly isSuspect: boolean
}

/** Takes in the rows of a chain. */
export async function coverChain(
  leaves: ReadTable,
  chain: ChainId | Digest,
  coverage: Coverage,
  notes: LogNotes,
): Promise<Covered> {
  let furthest = { size: 0, where: '' }
  let isSuspect = false
  const find = (rule: 'leaf-row' | 'leaf-order' | 'leaf-twice', where: string, detail: string) => {
    isSuspect = true
    notes.find(rule, 'tampered', where, detail)
  }
  let before: Run | null = null
  for await (const { key, run } of runsOf(leaves, chain, coverage.from)) {
    const where = `leaves/${chain}/${key}`
    if (!run) {
      find('leaf-row', where, 'the row cannot be read')
      continue
    }
    const next = before ? before.from + before.count : 0
    if (run.from < next) find('leaf-row', where, 'two rows are of one block')
    if (before && run.index < before.index + before.count)
      find('leaf-order', where, 'leaves of a chain are not in the order of height')
    const twice = coverage.claim(run)
    if (twice !== null) find('leaf-twice', where, `leaf ${twice} is of another block too`)
    if (run.index + run.count > furthest.size) furthest = { size: run.index + run.count, where }
    before = run
  }
  return { ...furthest, isSuspect }
}
