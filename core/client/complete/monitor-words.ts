// SPDX-License-Identifier: Apache-2.0
import type { LookupAnswer } from '../../api/lookup.ts'
import { leafLabel } from '../../block/leaf.ts'
import { toBase64url } from '../../bytes/encoding.ts'
import type { ChainId, Digest } from '../../bytes/ids.ts'
import { isAmpereError } from '../../errors.ts'
import type { Monitors } from '../client.ts'
import type { ProvenReceipt } from '../receipt/judge.ts'
import { comparedTrees, type Comparing } from './compared-trees.ts'
import { judgeLookup, type LookupContext, type Said } from './judge-lookup.ts'

/** Why nobody can say as of when a record is complete; null when somebody can. */
export type NotComplete =
  /** No monitor is pinned. */
  | 'no-monitor'
  /** No policy with a quorum is pinned: nobody would say when a tree was seen. */
  | 'no-quorum'
  /** An export has no answer of a pinned monitor. */
  | 'no-lookup'
  /** This reader was not given the label key of the current epoch, or an export has not the right one: the next block cannot be named. */
  | 'no-label-key'
  /** The newest block has no receipt with the quorum's cosignatures yet. */
  | 'head-not-witnessed'
  /** Fewer monitors than are needed say so, of trees that have the quorum and hold the newest block. */
  | 'too-few'
  /** The record grows while it is asked about. */
  | 'growing'
  /** A monitor has a later block than the home shows. */
  | 'withheld'
  /** The log signed two trees of one size: of those in which monitors looked, or of those and what this reader was shown. */
  | 'forked'

/** What one monitor said. */
export interface MonitorWord {
  readonly origin: string
  /** `unusable`: absent, from a tree that the quorum did not cosign or that does not hold the newest block. */
  readonly says: 'absent' | 'present' | 'unusable' | 'failed'
  /** Leaves and root of the tree in which it looked; null where it failed. */
  readonly tree: { readonly size: number; readonly root: Digest } | null
  /** Since when the quorum stands behind the tree of which it says that, in ms since 1970; null where it does not. */
  readonly seenMs: number | null
  /** Why it failed, or why one that is unusable stays so; empty where nothing is to be said. */
  readonly detail: string
}

/** The same with the checkpoint of that tree, as the log signed it; null where it failed. */
export interface JudgedWord {
  readonly word: MonitorWord
  readonly note: string | null
}

/** As of when a record has no block beyond the newest one that the home shows. */
export interface Completeness {
  /** Height of that block. */
  readonly height: number
  /** In ms since 1970; null when it is not shown. */
  readonly asOfMs: number | null
  readonly why: NotComplete | null
  readonly words: readonly MonitorWord[]
  /** What is to be said where the log signed two trees of one size; null where it did not. Beside `withheld` too. */
  readonly forked: string | null
}

/** The newest block of a record, and what its receipt proves. */
export interface RecordEnd {
  readonly chain: ChainId
  readonly height: number
  readonly receipt: ProvenReceipt | null
}

/** The monitors that count: the home cannot speak for itself, and nobody speaks twice. */
export function countedMonitors(monitors: Monitors | null, home: string): readonly string[] {
  return [...new Set(monitors?.origins)].filter((origin) => origin !== home)
}

/** The label by which a monitor is asked for the block after the end. */
export function nextLabel(labelKey: Uint8Array, { chain, height }: RecordEnd): Digest {
  return toBase64url(leafLabel(labelKey, chain, height + 1)) as Digest
}

/** What one monitor says, judged; what fails is said in the word. @throws what is no AmpereError */
export async function wordOf(
  context: LookupContext,
  asked: { readonly origin: string; readonly label: Digest; readonly end: RecordEnd },
  answer: () => Promise<LookupAnswer>,
): Promise<JudgedWord> {
  const { origin, label, end } = asked
  try {
    const given = await answer()
    const said = await judgeLookup(context, origin, label, given)
    const { size, root, seenMs } = said
    const says = saidOf(said, end)
    const detail = says === 'unusable' && given.stopped ? `it stopped at a finding: ${given.stopped}` : ''
    const word = { origin, says, tree: { size, root }, seenMs, detail }
    return { word, note: given.checkpoint }
  } catch (error) {
    if (!isAmpereError(error)) throw error
    const word = { origin, says: 'failed', tree: null, seenMs: null, detail: error.message } as const
    return { word, note: null }
  }
}

/**
 * What follows from all words. One that has a later block outweighs all others, because it is proved, and so does a log
 * with two histories.
 */
export async function concluded(
  judged: readonly JudgedWord[],
  { height, receipt }: RecordEnd,
  { need, nowMs, comparing }: Concluding,
): Promise<Completeness> {
  const words = judged.map(({ word }) => word)
  const forked = await comparedTrees(
    judged.map(({ word: { tree }, note }) => ({ tree, note })),
    comparing,
  )
  const not = (why: NotComplete): Completeness => ({ height, asOfMs: null, why, words, forked })
  if (words.some(({ says }) => says === 'present')) return not('withheld')
  if (forked !== null) return not('forked')
  if (receipt?.level !== 'witnessed') return not('head-not-witnessed')
  const asOfMs = asOf(words, need, nowMs)
  return asOfMs === null ? not('too-few') : { height, asOfMs, why: null, words, forked }
}

/** What the reader brings to what monitors said. */
export interface Concluding {
  /** How many monitors must say so. */
  readonly need: number
  readonly nowMs: number
  readonly comparing: Comparing
}

function saidOf({ index, size, seenMs }: Said, { receipt }: RecordEnd): MonitorWord['says'] {
  if (index !== null) return 'present'
  // A tree that does not hold the newest block says nothing of the one after it.
  const isHeld = receipt?.level === 'witnessed' && receipt.index < size
  return seenMs !== null && isHeld ? 'absent' : 'unusable'
}

/** The earliest time among as many as are needed, of those that speak of the latest; what clocks may be ahead is cut. */
function asOf(words: readonly MonitorWord[], need: number, nowMs: number): number | null {
  const times = words.flatMap(({ says, seenMs }) => (says === 'absent' && seenMs !== null ? [seenMs] : []))
  const time = times.toSorted((a, b) => b - a)[Math.max(need, 1) - 1]
  return time === undefined ? null : Math.min(time, nowMs)
}
