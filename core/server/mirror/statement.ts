// SPDX-License-Identifier: Apache-2.0
import { canonicalBytes, parseCanonical } from '../../bytes/canonical-json.ts'
import type { ChainId } from '../../bytes/ids.ts'
import { parseWith } from '../../bytes/schema.ts'
import { timestampMs, toTimestamp } from '../../bytes/timestamp.ts'
import { headAnswer } from '../../api/answers.ts'
import { openHead, parseHead, signHead, type HeadStatement } from '../../api/head.ts'
import { MAX_ANSWER_BYTES } from '../../api/limits.ts'
import { mirroredAnswer, type MirroredAnswer } from '../../api/mirrored.ts'
import type { Verifiers } from '../../crypto/signature.ts'
import type { Now, Signer } from '../../ports/keys.ts'
import type { ReadTable } from '../../ports/table.ts'
import type { RegistryHistory } from '../../registry/history.ts'
import { headKeyAt } from '../../registry/snapshot.ts'
import { broke } from '../copy/copy-chain.ts'
import type { HomeStores } from '../copy/stores.ts'
import { loadBlock } from '../store/rows.ts'
import { fetched, jsonOf, type Asking } from './ask-home.ts'

/** Row key, beside the receipts of a chain in the copy, of what the mirror said of it last. */
const MIRRORED_KEY = 'mirrored'
/** How old a statement may be before it is made anew, in milliseconds: who asks sees that the mirror still holds. */
export const RESTATE_MS = 3_600_000

/** What the home said of the newest block of a chain. */
export interface StatedHead {
  readonly head: HeadStatement
  readonly compact: string
}

/** What a mirror said of a chain last, or null. @throws AmpereError STORE_CORRUPT */
export async function readMirrored(receipts: ReadTable, chain: ChainId): Promise<MirroredAnswer | null> {
  const row = await receipts.get(chain, MIRRORED_KEY)
  return row && parseWith(mirroredAnswer, parseCanonical(row.value), 'STORE_CORRUPT', 'mirror statement')
}

/** True when a statement is due: there is none, there are blocks above it, or it is old. */
export function isStatementDue(last: MirroredAnswer | null, height: number, nowMs: number): boolean {
  if (!last) return true
  const { head } = parseHead(last.mirrored)
  return head.height < height || nowMs - timestampMs(head.time) >= RESTATE_MS
}

/**
 * Asks the home for its head statement. To be asked before the chain is copied: the copy then has the block.
 * @throws AmpereError UPSTREAM_FAILED; VERIFICATION_FAILED, rule `head`, for a statement that is not the home's
 */
export async function askStatedHead(
  asking: Asking,
  origin: string,
  chain: ChainId,
  registry: RegistryHistory,
  verifiers: Verifiers,
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
  return { head, compact }
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
 * @returns false where nothing was signed
 * @throws AmpereError VERIFICATION_FAILED, rule `forked`, when the home stated another block than it serves
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
  const said: HeadStatement = {
    v: 1,
    chain,
    height,
    block,
    registry: newest.head,
    time: toTimestamp(now()),
    origin,
    durability: 'mirrored',
  }
  const answer = { mirrored: await signHead(said, signer), head: compact }
  const row = await to.tables.receipts.get(chain, MIRRORED_KEY)
  await to.tables.receipts.swap(chain, MIRRORED_KEY, row?.version ?? null, canonicalBytes(answer))
  return true
}
