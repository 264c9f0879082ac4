// SPDX-License-Identifier: Apache-2.0
import type { ChainId, Kid } from '../../bytes/ids.ts'
import { timestampMs, type Timestamp } from '../../bytes/timestamp.ts'
import { compactHash, registryLabelKey } from '../../block/leaf.ts'
import { parseJws } from '../../block/jws.ts'
import { parseWith } from '../../bytes/schema.ts'
import { AmpereError, isAmpereError } from '../../errors.ts'
import { registryBlockSchema } from '../../registry/block.ts'
import { keyRecordOf, type RegistryView } from '../../registry/snapshot.ts'
import type { ProvenReceipt, ReceiptJudge } from './judge.ts'
import { logStatus, type LogStatus, type Revocation } from './log-status.ts'

/** A block with the receipt that somebody gave for it. */
export interface ReceiptedBlock {
  readonly height: number
  readonly kid: Kid
  readonly time: Timestamp
  /** SHA-256 of the compact JWS. */
  readonly hash: Uint8Array
  /** Of the state before it, where the verifier has it. */
  readonly labelKey: Uint8Array | null
  /** The tlog-proof; null when there is none. */
  readonly receipt: string | null
}

/** A block of the registry with its receipt. */
export interface RegistryReceipt {
  readonly compact: string
  readonly receipt: string | null
}

/** A receipt, or its absence, that speaks against the home. */
export interface ReceiptProblem {
  readonly height: number
  readonly status: 'tampered' | 'forked' | 'overdue' | 'late'
  readonly rule: string
  readonly detail: string
}

/** What the log proves of a chain. */
export interface LogView {
  /** Of each block, by height. */
  readonly statuses: readonly LogStatus[]
  readonly receipts: readonly (ProvenReceipt | null)[]
  readonly problems: readonly ReceiptProblem[]
}

/** What judging a chain's receipts needs. */
export interface ReceiptContext {
  readonly chain: ChainId
  readonly judge: ReceiptJudge
  /** The newest registry that the verifier has. */
  readonly records: RegistryView
  /** The block of the registry at a height with its receipt; asked only where a key was revoked. */
  readonly registryReceipt: (height: number) => Promise<RegistryReceipt>
  readonly nowMs: number
  /**
   * Keeps evidence of the first two blocks that are out of order, of which one file is enough.
   * @returns what is to be said of it beside the finding; it never throws
   */
  readonly convict?: (found: readonly [PlacedReceipt, PlacedReceipt]) => Promise<string>
}

/** A receipt that verified, of the block at a height. */
export interface PlacedReceipt {
  readonly height: number
  readonly text: string
  readonly index: number
}

/**
 * Judges what the log says of the blocks of one chain, given in order of height. A receipt that does not verify, is of
 * another place is a problem, and its block counts as one without a receipt that is not overdue: the home gave one. One that
 * contradicts the order of heights is a problem, and still shows where the block is.
 */
export async function judgeBlocks(
  context: ReceiptContext,
  blocks: AsyncIterable<ReceiptedBlock> | Iterable<ReceiptedBlock>,
): Promise<LogView> {
  const revocations = createRevocations(context)
  const statuses: LogStatus[] = []
  const receipts: (ProvenReceipt | null)[] = []
  const problems: ReceiptProblem[] = []
  let before: PlacedReceipt | null = null
  let isConvicted = false
  for await (const block of blocks) {
    const { height } = block
    const { receipt, problem } = await judgeOne(context, block)
    if (problem) problems.push(problem)
    const placed = receipt && { height, text: block.receipt ?? '', index: receipt.index }
    if (placed && before && placed.index <= before.index) {
      problems.push(outOfOrder(placed, before, isConvicted ? '' : await context.convict?.([before, placed])))
      isConvicted = true
    } else before = placed ?? before
    const revocation = await revocations(block.kid)
    const said = logStatus({ timeMs: timestampMs(block.time), receipt, revocation }, context.nowMs)
    const status = said === 'overdue' && problem ? 'promised' : said
    if (status === 'overdue') problems.push(overdue(height))
    if (status === 'late') problems.push(late(height))
    statuses.push(status)
    receipts.push(receipt)
  }
  return { statuses, receipts, problems }
}

async function judgeOne(
  { chain, judge }: ReceiptContext,
  { height, hash, labelKey, receipt: text }: ReceiptedBlock,
): Promise<{ readonly receipt: ProvenReceipt | null; readonly problem: ReceiptProblem | null }> {
  if (text === null) return { receipt: null, problem: null }
  try {
    return { receipt: await judge.judge(text, { chain, height, hash, labelKey }), problem: null }
  } catch (error) {
    if (!isAmpereError(error, 'VERIFICATION_FAILED')) throw error
    const [, rule, detail] = /^rule ([a-z-]+): (.*)$/s.exec(error.message) ?? ['', 'receipt', error.message]
    return { receipt: null, problem: { height, status: 'tampered', rule: rule ?? '', detail: detail ?? '' } }
  }
}

/** The revocation of a key, looked up once. */
function createRevocations(context: ReceiptContext): (kid: Kid) => Promise<Revocation | null> {
  const known = new Map<Kid, Promise<Revocation | null>>()
  return (kid) => {
    const looked = known.get(kid) ?? revocationOf(context, kid)
    known.set(kid, looked)
    return looked
  }
}

async function revocationOf(context: ReceiptContext, kid: Kid): Promise<Revocation | null> {
  const revoked = keyRecordOf(context.records, kid)?.revoked ?? null
  if (!revoked) return null
  const { height, reason, suspectFrom } = revoked
  const given = await context.registryReceipt(height)
  return {
    index: await registryIndex(context, height, given),
    timeMs: timestampMs(openedTime(given.compact)),
    compromised: reason === 'compromised',
    suspectFromMs: suspectFrom === null ? null : timestampMs(suspectFrom),
  }
}

function openedTime(compact: string): Timestamp {
  const { payload } = parseJws(compact, 'ampere-registry+jws')
  return parseWith(registryBlockSchema, payload, 'BLOCK_MALFORMED', 'registry block').time
}

/** Where a block of the registry lies in the log; null where nothing proves it. */
async function registryIndex(
  { judge, records }: ReceiptContext,
  height: number,
  { receipt, compact }: RegistryReceipt,
): Promise<number | null> {
  if (receipt === null) return null
  const { registry } = records
  const hash = compactHash(compact)
  const subject = { chain: registry, height, hash, labelKey: registryLabelKey(registry) }
  try {
    return (await judge.judge(receipt, subject)).index
  } catch (error) {
    if (!isAmpereError(error, 'VERIFICATION_FAILED')) throw error
    const message = `${error.message} (block ${height} of the registry)`
    throw new AmpereError('VERIFICATION_FAILED', message, { cause: error })
  }
}

function outOfOrder({ height, index }: PlacedReceipt, before: PlacedReceipt, kept = ''): ReceiptProblem {
  const detail = `its log entry ${index} does not follow that of a block before it, ${before.index}${kept}`
  return { height, status: 'forked', rule: 'leaf-order', detail }
}

function overdue(height: number): ReceiptProblem {
  return {
    height,
    status: 'overdue',
    rule: 'promise',
    detail: 'the home promised to log it, and gives no receipt',
  }
}

function late(height: number): ReceiptProblem {
  const detail = 'it was logged after the revocation of the key that signed it'
  return { height, status: 'late', rule: 'revoked', detail }
}
