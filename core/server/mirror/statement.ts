// SPDX-License-Identifier: Apache-2.0
import { canonicalBytes, parseCanonical } from '../../bytes/canonical-json.ts'
import type { ChainId } from '../../bytes/ids.ts'
import { parseWith } from '../../bytes/schema.ts'
import { timestampMs, toTimestamp } from '../../bytes/timestamp.ts'
import { headAnswer } from '../../api/answers.ts'
import { openHead, parseHead, signHead, type HeadStatement } from '../../api/head.ts'
import { CLOCK_TOLERANCE_MS, MAX_ANSWER_BYTES } from '../../api/limits.ts'
import { mirroredAnswer, type MirroredAnswer } from '../../api/mirrored.ts'
import type { Verifiers } from '../../crypto/signature.ts'
import { AmpereError } from '../../errors.ts'
import type { Now, Signer } from '../../ports/keys.ts'
import type { ReadTable, Row } from '../../ports/table.ts'
import type { RegistryHistory } from '../../registry/history.ts'
import { headKeyAt } from '../../registry/snapshot.ts'
import { broke } from '../copy/copy-chain.ts'
import type { HomeStores } from '../copy/stores.ts'
import { loadBlock } from '../store/rows.ts'
import { fetched, jsonOf, type Asking } from './ask-home.ts'

/**
 * Row key, beside the receipts of a chain in the copy, of what the mirror said of it last. It outlives the copy: who has said
 * more may not say less.
 */
export const MIRRORED_KEY = 'mirrored'
/** How old a statement may be before it is made anew, in milliseconds: who asks sees that the mirror still holds. */
export const RESTATE_MS = 3_600_000

/** What the home said of the newest block of a chain. */
export interface StatedHead {
  readonly head: HeadStatement
  readonly compact: string
}

/** What a mirror said of a chain last, or null. @throws AmpereError STORE_CORRUPT */
export async function readMirrored(receipts: ReadTable, chain: ChainId): Promise<MirroredAnswer | null> {
  return parsed(await receipts.get(chain, MIRRORED_KEY))
}

/** True when a statement is due: there is none, there are blocks above it, or it is old. */
export function isStatementDue(last: MirroredAnswer | null, height: number, nowMs: number): boolean {
  if (!last) return true
  const { head } = parseHead(last.mirrored)
  return head.height < height || nowMs - timestampMs(head.time) >= RESTATE_MS
}

/**
 * Asks the home for its head statement. To be asked before the chain is copied: the copy then has the block.
 * @param copied height of the newest block in the copy; a home that states less went back, or somebody shows what it said earlier
 * @throws AmpereError UPSTREAM_FAILED; VERIFICATION_FAILED, rule `head`, for a statement that is not the home's, `head-time` for
 * one of another time than now, `rolled-back`
 */
export async function askStatedHead(
  asking: Asking,
  origin: string,
  chain: ChainId,
  registry: RegistryHistory,
  verifiers: Verifiers,
  copied: number,
): Promise<StatedHead | null> {
  const bytes = await fetched(
    asking,
    new URL(`/v1/chains/${chain}/head`, origin),
    MAX_ANSWER_BYTES.statements,
  )
  if (!bytes) return null
  const { head: compact } = parseWith(headAnswer, jsonOf(bytes), 'UPSTREAM_FAILED', 'answer')
  const { jws, head } = parseHead(compact)
  const key = headKeyAt(registry.newest(), jws.kid, origin)
  const isTheirs = head.chain === chain && head.origin === origin && head.durability !== 'mirrored'
  if (!key || !isTheirs) throw broke('head', chain, head.height, 'the head statement is not that of its home')
  await openHead(compact, key, verifiers)
  if (Math.abs(timestampMs(head.time) - asking.now()) > CLOCK_TOLERANCE_MS)
    throw broke('head-time', chain, head.height, `the head statement is of ${head.time}, and not of now`)
  if (head.height < copied) throw rolledBack(chain, head.height, copied)
  return { head, compact }
}

/** The refusal of a chain that ends before a block which its home had. */
export function rolledBack(chain: ChainId, height: number, before: number): AmpereError {
  return broke('rolled-back', chain, height, `the home had block ${before} before`)
}

/** With what a mirror signs. */
export interface StatingPorts {
  readonly now: Now
  readonly head: Signer
  /** Origin of the mirror's own deployment. */
  readonly origin: string
}

/**
 * Signs that this mirror holds a chain up to the block that its home stated, and keeps both statements. To be called only
 * once all of the chain up to there is stored and nothing of it is missing without an erasure that explains it.
 * A mirror whose deployment is not in the registry of the home signs nothing: nobody could tell whose statement it is.
 * It never states less than it stated, nor at an earlier time: that would convict it, whoever it was that showed it less.
 * @returns false where nothing was kept
 * @throws AmpereError VERIFICATION_FAILED, rule `forked`, when the home stated another block than it serves, or has another than
 * this mirror stated, `rolled-back` when it stated less than that; CLOCK_SKEW before the time of that statement
 */
export async function stateMirrored(
  to: HomeStores,
  { now, head: signer, origin }: StatingPorts,
  registry: RegistryHistory,
  { head, compact }: StatedHead,
): Promise<boolean> {
  const newest = registry.newest()
  if (!headKeyAt(newest, signer.kid, origin)) return false
  const { chain, height, block } = head
  const copied = await loadBlock(to.tables.blocks, chain, height)
  if (!copied) return false
  if (copied.id !== block)
    throw broke('forked', chain, height, 'the home stated another block than it serves')
  const row = await to.tables.receipts.get(chain, MIRRORED_KEY)
  const nowMs = now()
  await checkForward(to, parsed(row), head, nowMs)
  const said: HeadStatement = {
    v: 1,
    chain,
    height,
    block,
    registry: newest.head,
    time: toTimestamp(nowMs),
    origin,
    durability: 'mirrored',
  }
  const answer = { mirrored: await signHead(said, signer), head: compact }
  const version = row?.version ?? null
  // What somebody else stated meanwhile stays: this was not compared with it.
  return (await to.tables.receipts.swap(chain, MIRRORED_KEY, version, canonicalBytes(answer))) !== null
}

async function checkForward(
  { tables }: HomeStores,
  last: MirroredAnswer | null,
  { chain, height }: HeadStatement,
  nowMs: number,
): Promise<void> {
  if (!last) return
  const { head } = parseHead(last.mirrored)
  if (height < head.height) throw rolledBack(chain, height, head.height)
  if (nowMs < timestampMs(head.time))
    throw new AmpereError(
      'CLOCK_SKEW',
      `chain ${chain}: the last statement here is of ${head.time}, after now`,
    )
  // The statement outlives the copy, which may have been begun anew with another history: both would be this mirror's word.
  const there = await loadBlock(tables.blocks, chain, head.height)
  if (there?.id !== head.block)
    throw broke('forked', chain, head.height, 'this mirror stated another block than the home has now')
}

/** @throws AmpereError STORE_CORRUPT */
function parsed(row: Row | null): MirroredAnswer | null {
  return row && parseWith(mirroredAnswer, parseCanonical(row.value), 'STORE_CORRUPT', 'mirror statement')
}
