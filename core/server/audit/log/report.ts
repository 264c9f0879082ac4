// SPDX-License-Identifier: Apache-2.0

/**
 * What an audit of the log finds, beside what it finds of chains. docs/OPERATIONS.md says what each means and what
 * to do.
 */
export const LOG_RULES = [
  'tree-row',
  'tree-seal',
  'published-row',
  'witnessed-row',
  'witnessed-quorum',
  'audited-row',
  'rolled-back',
  'forked',
  'log-root',
  'bundle',
  'leaf-form',
  'tile',
  'leaf-row',
  'leaf-twice',
  'leaf-order',
  'leaf-unknown',
  'leaf-hash',
  'leaf-label',
  'logged-block',
  'overdue',
] as const
export type LogRule = (typeof LOG_RULES)[number]

/** Something in the log, or about it, that is not what was signed. */
export interface LogFinding {
  /** A path below the log's prefix, a row as `table/partition/key`, `leaf INDEX`, or `block CHAIN/HEIGHT`. */
  readonly where: string
  readonly status: 'tampered' | 'missing'
  readonly rule: LogRule
  readonly detail: string
}

/** What verified data says belongs in a place where something else is, or nothing. */
export type Remedy =
  | { readonly kind: 'object'; readonly path: string; readonly bytes: Uint8Array }
  /** A row of the table `checkpoints`. */
  | { readonly kind: 'checkpoint'; readonly partition: string; readonly key: string; readonly note: string }
  /** All rows of a chain in the table `leaves`. */
  | { readonly kind: 'leaves'; readonly chain: string; readonly runs: readonly Run[] }

/** Consecutive blocks of a chain at consecutive leaves, as a row of the table `leaves` has them. */
export interface Run {
  readonly from: number
  readonly count: number
  readonly index: number
}

/** A finding with what would undo it, where that can be computed. */
export interface LogFlaw extends LogFinding {
  readonly remedy: Remedy | null
}

/** What an audit of the log found. */
export interface LogReport {
  /** Leaves of the tree that was audited; 0 while there is none. */
  readonly size: number
  /** The first leaf that was audited: 0 unless only what is new was. */
  readonly from: number
  /** Blocks that were compared with their leaves. */
  readonly blocks: number
  readonly findings: readonly LogFinding[]
  /** Findings beyond those that are listed. */
  readonly unlisted: number
  /**
   * Kept checkpoints that were cosigned and lack the quorum of the present policy: no findings, for they were kept under an
   * earlier one, or lost cosignatures since, which cannot be told apart. Receipts are made with others.
   */
  readonly earlier: number
}

/** Flaws that are listed; a log that is gone has one for each tile. */
export const MAX_FLAWS = 1000
/** Flaws that are kept beyond those, because they can be put right. */
const MAX_MENDABLE = 16 * MAX_FLAWS

/** Notes flaws, each once: a partial tile belongs to several sizes. */
export class LogNotes {
  readonly flaws: LogFlaw[]
  readonly #seen: Set<string>
  unlisted: number
  /** Kept checkpoints of an earlier policy, and the largest of their sizes; -1 where there is none. */
  earlier: { count: number; last: number }

  constructor(flaws: LogFlaw[] = [], unlisted = 0, earlier = { count: 0, last: -1 }) {
    this.flaws = flaws
    this.unlisted = unlisted
    this.earlier = earlier
    this.#seen = new Set(flaws.map(({ rule, where }) => `${rule} ${where}`))
  }

  find(
    rule: LogRule,
    status: LogFinding['status'],
    where: string,
    detail: string,
    remedy: Remedy | null = null,
  ): void {
    const name = `${rule} ${where}`
    if (this.#seen.has(name)) return
    if (this.flaws.length >= (remedy ? MAX_MENDABLE : MAX_FLAWS)) {
      this.unlisted++
      return
    }
    this.#seen.add(name)
    this.flaws.push({ where, status, rule, detail, remedy })
  }

  /** Notes a kept checkpoint of an earlier policy. They come by size; one may come again where an audit goes on. */
  noteEarlier(size: number): void {
    if (size > this.earlier.last) this.earlier = { count: this.earlier.count + 1, last: size }
  }

  take(other: LogNotes): void {
    for (const flaw of other.flaws) this.find(flaw.rule, flaw.status, flaw.where, flaw.detail, flaw.remedy)
    this.unlisted += other.unlisted
    const last = Math.max(this.earlier.last, other.earlier.last)
    this.earlier = { count: this.earlier.count + other.earlier.count, last }
  }
}
