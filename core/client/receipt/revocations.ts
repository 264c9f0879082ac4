// SPDX-License-Identifier: Apache-2.0
import type { Kid } from '../../bytes/ids.ts'
import { parseWith } from '../../bytes/schema.ts'
import { timestampMs, type Timestamp } from '../../bytes/timestamp.ts'
import { parseJws } from '../../block/jws.ts'
import { compactHash, registryLabelKey } from '../../block/leaf.ts'
import { AmpereError, isAmpereError } from '../../errors.ts'
import { registryBlockSchema } from '../../registry/block.ts'
import { keyRecordOf, type RegistryView } from '../../registry/snapshot.ts'
import type { JudgedReceipt, ReceiptJudge } from './judge.ts'
import type { Revocation } from './rules/log-status.ts'

/** A block of the registry with its receipt. */
export interface RegistryReceipt {
  readonly compact: string
  readonly receipt: string | null
}

/** What placing revocations in the log needs. */
export interface RegistryContext {
  readonly judge: ReceiptJudge
  /** Origin of the home that the chain names last: its log has the blocks of the registry. */
  readonly home: string
  /** The newest registry that the verifier has. */
  readonly records: RegistryView
  /** The block of the registry at a height with its receipt; asked only where a key was revoked. */
  readonly registryReceipt: (height: number) => Promise<RegistryReceipt>
}

/** A revocation, and the receipt that places it; null where nothing does. */
export interface PlacedRevocation {
  readonly revocation: Revocation
  readonly receipt: JudgedReceipt | null
}

/**
 * Finds the revocation of a key, once for each.
 * @throws AmpereError (what is returned) VERIFICATION_FAILED for a receipt of the registry that is wrong
 */
export function createRevocations(context: RegistryContext): (kid: Kid) => Promise<PlacedRevocation | null> {
  const known = new Map<Kid, Promise<PlacedRevocation | null>>()
  return (kid) => {
    const looked = known.get(kid) ?? revocationOf(context, kid)
    known.set(kid, looked)
    return looked
  }
}

async function revocationOf(context: RegistryContext, kid: Kid): Promise<PlacedRevocation | null> {
  const revoked = keyRecordOf(context.records, kid)?.revoked ?? null
  if (!revoked) return null
  const { height, reason, suspectFrom } = revoked
  const given = await context.registryReceipt(height)
  const judged = await judgeRegistry(context, height, given)
  return {
    revocation: {
      index: judged?.index ?? null,
      home: context.home,
      timeMs: madeMs(openedTime(given.compact), judged),
      reason,
      suspectFromMs: suspectFrom === null ? null : timestampMs(suspectFrom),
    },
    receipt: judged,
  }
}

/** Witnesses saw it by then, whatever time it says: one that is dated ahead does not hold anything back. */
function madeMs(time: Timestamp, judged: JudgedReceipt | null): number {
  const seenMs = judged?.level === 'witnessed' ? judged.seenMs : null
  return Math.min(timestampMs(time), seenMs ?? Infinity)
}

function openedTime(compact: string): Timestamp {
  const { payload } = parseJws(compact, 'ampere-registry+jws')
  return parseWith(registryBlockSchema, payload, 'BLOCK_MALFORMED', 'registry block').time
}

/** Where a block of the registry lies in the log; null where nothing proves it. */
async function judgeRegistry(
  { judge, home, records }: RegistryContext,
  height: number,
  { receipt, compact }: RegistryReceipt,
): Promise<JudgedReceipt | null> {
  if (receipt === null) return null
  const { registry } = records
  const hash = compactHash(compact)
  const subject = { chain: registry, height, home, hash, labelKey: registryLabelKey(registry) }
  try {
    return await judge.judge(receipt, subject)
  } catch (error) {
    if (!isAmpereError(error, 'VERIFICATION_FAILED')) throw error
    const message = `${error.message} (block ${height} of the registry)`
    throw new AmpereError('VERIFICATION_FAILED', message, { cause: error })
  }
}
