// SPDX-License-Identifier: Apache-2.0
import type { ChainId, Kid } from '../../bytes/ids.ts'
import { timestampMs, type Timestamp } from '../../bytes/timestamp.ts'
import { isAmpereError } from '../../errors.ts'
import { unseenDelays, type CompletedDelay, type SeenBlock } from './rules/delays.ts'
import type { JudgedReceipt, ProvenReceipt } from './judge.ts'
import { oddLogTime } from './rules/log-time.ts'
import { judgeTimes, type LookedAt } from './rules/judge-times.ts'
import type { LogStatus, PlacedBlock, Revocation } from './rules/log-status.ts'
import {
  logTime,
  outOfOrder,
  splitView,
  type PlacedReceipt,
  type ReceiptProblem,
} from './rules/receipt-problem.ts'
import { createRevocations, type RegistryContext } from './revocations.ts'
import { createTreesOf, type SignedTree, type TreesOf } from './rules/trees.ts'

/** A block with the receipt that somebody gave for it. */
export interface ReceiptedBlock {
  readonly height: number
  readonly kid: Kid
  readonly time: Timestamp
  /** Origin of the home that the state after it names: only the receipt of its log counts. */
  readonly home: string
  /** SHA-256 of the compact JWS. */
  readonly hash: Uint8Array
  /** Of the state before it, where the verifier has it. */
  readonly labelKey: Uint8Array | null
  /** The tlog-proof; null when there is none. */
  readonly receipt: string | null
  /** When the grant by which it was written ends (`grantEnd`). */
  readonly grantEnds: Timestamp | null
}

/** What the log proves of a chain. */
export interface LogView {
  /** Of each block, by height. */
  readonly statuses: readonly LogStatus[]
  readonly receipts: readonly (ProvenReceipt | null)[]
  readonly problems: readonly ReceiptProblem[]
}

/** What judging a chain's receipts needs. */
export interface ReceiptContext extends RegistryContext {
  readonly chain: ChainId
  readonly nowMs: number
  /**
   * The home says that it is `nowMs`, as in a file, and not a clock of the verifier's own: then it is at least as late as a
   * quorum, or its log, says of a receipt.
   */
  readonly isNowStated?: boolean
  /** The steps that blocks complete after a delay. */
  readonly delayed: readonly CompletedDelay[]
  /** By the origin of the home whose log it is. */
  readonly convict?: (home: string) => ConvictLog
  /** Trees of logs that this reader knows already; those of the receipts are added. */
  readonly treesOf?: TreesOf
}

/**
 * Keeps evidence of what is found first of each sort, of which one file is enough.
 * @returns what is to be said of it beside the finding; they never throw
 */
export interface ConvictLog {
  /** Two blocks out of order. */
  readonly order: (found: readonly [PlacedReceipt, PlacedReceipt]) => Promise<string>
  /** Notes of two trees of one size with different roots. */
  readonly trees: (notes: readonly [string, string]) => Promise<string>
}

/**
 * Judges what the log says of the blocks of one chain, given in order of height. A receipt that does not verify, or is of
 * another place, is a problem, and its block counts as one without a receipt that is not overdue: the home gave one. One
 * that contradicts the order of heights is a problem, and still shows where the block is; so is one under a tree of which
 * the log signed another of the same size. Places are compared within one log: a rehome begins with another.
 */
export async function judgeBlocks(
  context: ReceiptContext,
  blocks: AsyncIterable<ReceiptedBlock> | Iterable<ReceiptedBlock>,
): Promise<LogView> {
  const trees = comparedTrees(context)
  const revocations = createRevocations(context)
  const receipts: (ProvenReceipt | null)[] = []
  const problems: ReceiptProblem[] = []
  const named: (readonly [height: number, trees: readonly NamedTree[]])[] = []
  const seen = new Map<number, SeenBlock>()
  const looked: LookedAt[] = []
  const known = { sinceMs: -Infinity, signedMs: -Infinity }
  const newest = new Map<string, PlacedReceipt>()
  let isConvicted = false
  for await (const block of blocks) {
    const { height, home } = block
    const { judged, problem } = await judgeOne(context, block)
    if (problem) problems.push(problem)
    const odd = judged && oddLogTime(judged, timestampMs(block.time))
    if (odd !== null) problems.push(logTime(height, odd))
    const placed = judged && { height, text: block.receipt ?? '', index: judged.index }
    const before = newest.get(home)
    if (placed && before && placed.index <= before.index) {
      const kept = isConvicted ? '' : await context.convict?.(home).order([before, placed])
      problems.push(outOfOrder(placed, before, kept ?? ''))
      isConvicted = true
    } else if (placed) newest.set(home, placed)
    const revoked = await revocations(block.kid)
    named.push([
      height,
      [...(await trees.add(home, judged)), ...(await trees.add(context.home, revoked?.receipt))],
    ])
    for (const receipt of [judged, revoked?.receipt]) if (receipt) learnTime(known, receipt)
    const receipt = judged && provenOf(judged)
    const at = placedOf(block, receipt, revoked?.revocation ?? null)
    looked.push({ height, ...at, isWrong: problem !== null })
    receipts.push(receipt)
    seen.set(height, { time: block.time, receipt: judged })
  }
  // Only now is it known what time it is at least, and every tree.
  const judging = { ...timesOf(context, known), hasQuorum: context.judge.hasQuorum }
  const timed = looked.map((at) => judgeTimes(at, judging))
  problems.push(...timed.flatMap((item) => item.problems))
  for (const [height, under] of named) problems.push(...trees.problems(height, under))
  problems.push(...unseenDelays(context.delayed, seen, judging))
  return { statuses: timed.map(({ status }) => status), receipts, problems }
}

/** What receipts say that the time is at least, in ms since 1970: quorums of witnesses, and the log itself. */
interface KnownTime {
  sinceMs: number
  signedMs: number
}

function learnTime(known: KnownTime, { sinceMs, signedMs }: JudgedReceipt): void {
  known.sinceMs = Math.max(known.sinceMs, sinceMs ?? -Infinity)
  known.signedMs = Math.max(known.signedMs, ...signedMs)
}

/**
 * Against a stated time rights end by the log's word too: a home may take cosignatures out of a file. What a home owes does not
 * become due by it, because a log that was once signed with a clock far ahead has that time in all its trees.
 */
function timesOf({ isNowStated, nowMs: givenMs }: ReceiptContext, { sinceMs, signedMs }: KnownTime) {
  if (isNowStated !== true) return { nowMs: givenMs, endsMs: givenMs }
  const nowMs = Math.max(givenMs, sinceMs)
  return { nowMs, endsMs: Math.max(nowMs, signedMs) }
}

async function judgeOne(
  { chain, judge }: ReceiptContext,
  { height, home, hash, labelKey, receipt: text }: ReceiptedBlock,
): Promise<{ readonly judged: JudgedReceipt | null; readonly problem: ReceiptProblem | null }> {
  if (text === null) return { judged: null, problem: null }
  try {
    return { judged: await judge.judge(text, { chain, height, home, hash, labelKey }), problem: null }
  } catch (error) {
    if (!isAmpereError(error, 'VERIFICATION_FAILED')) throw error
    const [, rule, detail] = /^rule ([a-z-]+): (.*)$/s.exec(error.message) ?? ['', 'receipt', error.message]
    return { judged: null, problem: { height, status: 'tampered', rule: rule ?? '', detail: detail ?? '' } }
  }
}

function placedOf(
  { time, home, grantEnds }: ReceiptedBlock,
  receipt: ProvenReceipt | null,
  revocation: Revocation | null,
): PlacedBlock {
  const grantEndsMs = grantEnds === null ? null : timestampMs(grantEnds)
  return { timeMs: timestampMs(time), home, receipt, revocation, grantEndsMs }
}

function provenOf({ level, index, size, seenMs }: JudgedReceipt): ProvenReceipt {
  return { level, index, size, seenMs }
}

/** A tree that a receipt of a block is under: of which log, and how large. */
interface NamedTree {
  readonly home: string
  readonly size: number
}

/** Compares the trees of the receipts that a block names, its own and that of the registry, with all others of their log. */
function comparedTrees({ treesOf = createTreesOf(), convict }: ReceiptContext) {
  const kept = new Map<string, string>()
  return {
    /** @returns the tree under a receipt of the log of `home`; none without a receipt */
    add: async (
      home: string,
      receipt: { readonly tree: SignedTree } | null | undefined,
    ): Promise<readonly NamedTree[]> => {
      if (!receipt) return []
      const { tree } = receipt
      const named = { home, size: tree.size }
      const other = treesOf(home).add(tree)
      if (other && kept.size === 0)
        kept.set(nameOf(named), (await convict?.(home).trees([other, tree.note])) ?? '')
      return [named]
    },
    problems: (height: number, under: readonly NamedTree[]): ReceiptProblem[] => {
      const split = under.find(({ home, size }) => treesOf(home).isSplit(size))
      return split ? [splitView(height, split.size, kept.get(nameOf(split)) ?? '')] : []
    },
  }
}

function nameOf({ home, size }: NamedTree): string {
  return `${home} ${size}`
}
