// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { canonicalBytes } from '../bytes/canonical-json.ts'
import type { ChainId, Digest } from '../bytes/ids.ts'
import { chainId, count, digest, parseWith, timestamp } from '../bytes/schema.ts'
import type { Timestamp } from '../bytes/timestamp.ts'
import { digestOf } from '../crypto/hash.ts'
import type { Signer } from '../ports/keys.ts'
import type { Block } from './block.ts'
import { parseJws, signJws, type OpenedJws } from './jws.ts'

const approvalSchema = v.strictObject({
  chain: v.optional(chainId),
  seq: count,
  action: digest,
  expires: timestamp,
})

/** A controller's consent to exactly one step of exactly one chain. */
export interface Approval {
  readonly jws: OpenedJws
  readonly chain: ChainId | null
  readonly seq: number
  readonly action: Digest
  readonly expires: Timestamp
}

/** What is approved: SHA-256 of the canonical `{type, body}` without the approvals themselves. */
export function actionOf(type: Block['type'], body: object): Digest {
  const { approvals: _, ...rest } = body as { approvals?: unknown }
  return digestOf(canonicalBytes({ type, body: rest }))
}

/** Parses one approval; its signature is checked with the block's. @throws AmpereError JWS_MALFORMED, BLOCK_MALFORMED */
export function parseApproval(compact: string): Approval {
  const jws = parseJws(compact, 'ampere-approval+jws')
  const stated = parseWith(approvalSchema, jws.payload, 'BLOCK_MALFORMED', 'approval')
  return { jws, chain: stated.chain ?? null, seq: stated.seq, action: stated.action, expires: stated.expires }
}

/** Signs an approval. `chain` is null for a genesis, whose nonce is in the action. */
export function signApproval(
  approval: { chain: ChainId | null; seq: number; action: Digest; expires: Timestamp },
  signer: Signer,
): Promise<string> {
  const { chain, ...rest } = approval
  return signJws('ampere-approval+jws', chain === null ? rest : { chain, ...rest }, signer)
}
