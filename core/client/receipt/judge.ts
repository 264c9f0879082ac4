// SPDX-License-Identifier: Apache-2.0
import { equalBytes } from '../../bytes/frame.ts'
import type { ChainId, Digest } from '../../bytes/ids.ts'
import { logOriginOf } from '../../api/log.ts'
import { encodeLeaf, LABEL_BYTES, leafLabel } from '../../block/leaf.ts'
import type { Verifiers } from '../../crypto/signature.ts'
import { brokenRule, isAmpereError } from '../../errors.ts'
import { openCheckpoint, type OpenedCheckpoint } from '../../log/note/open-checkpoint.ts'
import type { Policy } from '../../log/policy/policy.ts'
import { quorumBy, quorumTime } from '../../log/policy/quorum-time.ts'
import { parseTlogProof, policyKeys, verifyUnder, type VerifiedProof } from '../../log/tlog-proof.ts'
import type { SignedTree } from './rules/trees.ts'

/** What a receipt is about. */
export interface ReceiptSubject {
  readonly chain: ChainId | Digest
  readonly height: number
  /** Origin of the home whose log has it: that of the state after the block (`homeAfter`). */
  readonly home: string
  /** SHA-256 of the compact JWS, 32 bytes. */
  readonly hash: Uint8Array
  /** Of the state before the block (PROTOCOL.md section 11); null for a verifier that has none: it takes the receipt's label. */
  readonly labelKey: Uint8Array | null
}

/** What a receipt proves under the policy of whoever judges it. */
export interface ProvenReceipt {
  /** `witnessed` when the policy has a quorum and it cosigned. */
  readonly level: 'logged' | 'witnessed'
  /** Of the leaf in the log, from 0. */
  readonly index: number
  /** Leaves of the tree that was proved. */
  readonly size: number
  /** Latest time at which a witness of the policy says that it saw that tree, in ms since 1970; null when none does. */
  readonly seenMs: number | null
}

/** What a receipt proves, and the tree that it is under. */
export interface JudgedReceipt extends ProvenReceipt {
  readonly tree: SignedTree
  /** When the log says that it signed that tree, by each of its signatures that says so, in ms since 1970. */
  readonly signedMs: readonly number[]
  /** Since when a quorum stands behind that tree (`quorumTime`), in ms since 1970; null when it is not witnessed. */
  readonly sinceMs: number | null
  /** By when a quorum says that it saw that tree (`quorumBy`), in ms since 1970; null when it is not witnessed. */
  readonly byMs: number | null
}

/** Judges receipts, each as one of the log of the home that its subject names. */
export interface ReceiptJudge {
  /** The policy asks for cosignatures. */
  readonly hasQuorum: boolean
  /** @throws AmpereError VERIFICATION_FAILED naming the rule: `receipt`, or `label` for the leaf of another place */
  judge(text: string, subject: ReceiptSubject): Promise<JudgedReceipt>
}

/** Checkpoints that stay open: one covers the receipts of many blocks that were logged together. */
const KEPT = 64

/**
 * Only receipts of the log of the home that the chain names count, under a policy that the installation pins. That has a
 * key of each log in which a chain was: of one that left it, too.
 */
export function createReceiptJudge(policy: Policy, verifiers: Verifiers): ReceiptJudge {
  const keys = policyKeys(policy)
  const opened = new Map<string, Promise<OpenedCheckpoint>>()
  const open = (note: string): Promise<OpenedCheckpoint> => {
    const known = opened.get(note)
    if (known) return known
    const [oldest] = opened.keys()
    if (opened.size >= KEPT && oldest !== undefined) opened.delete(oldest)
    const opening = openCheckpoint(note, keys, verifiers)
    opened.set(note, opening)
    return opening
  }
  return {
    hasQuorum: policy.quorum !== null,
    judge: async (text, subject) => {
      try {
        const proof = parseTlogProof(text)
        const under = await open(proof.note)
        if (under.checkpoint.origin !== logOriginOf(subject.home))
          throw brokenRule('receipt', 'it is of another log than that of the home')
        const leaf = encodeLeaf({ label: labelOf(proof.extra, subject), hash: subject.hash })
        const proven = provenBy(verifyUnder(proof, leaf, policy, under), policy)
        const tree = { size: proven.size, root: under.checkpoint.root, note: proof.note }
        const signedMs = under.signedAt.map((seconds) => seconds * 1000)
        return { ...proven, tree, signedMs, sinceMs: sinceOf(under, policy), byMs: byOf(under, policy) }
      } catch (error) {
        if (isAmpereError(error, 'LOG_MALFORMED', 'SIGNATURE_INVALID', 'PROOF_INVALID'))
          throw brokenRule('receipt', error.message, error)
        throw error
      }
    },
  }
}

/** The label: computed where the key is known, and then the receipt must say the same. */
function labelOf(extra: Uint8Array | null, { labelKey, chain, height }: ReceiptSubject): Uint8Array {
  if (extra?.length !== LABEL_BYTES) throw brokenRule('label', 'it does not say the label of its leaf')
  if (labelKey && !equalBytes(extra, leafLabel(labelKey, chain, height)))
    throw brokenRule('label', 'its leaf has the label of another block')
  return extra
}

function provenBy({ index, checkpoint, quorum, cosignatures }: VerifiedProof, policy: Policy): ProvenReceipt {
  const isWitnessed = policy.quorum !== null && quorum.satisfied
  const latest = Math.max(0, ...cosignatures.map(({ time }) => time))
  return {
    level: isWitnessed ? 'witnessed' : 'logged',
    index,
    size: checkpoint.size,
    seenMs: latest > 0 ? latest * 1000 : null,
  }
}

/** No clock of the verifier's own counts: offline it may be years later. */
function sinceOf({ cosignatures }: OpenedCheckpoint, policy: Policy): number | null {
  const seconds = quorumTime(policy, cosignatures, Infinity)
  return seconds === null ? null : seconds * 1000
}

function byOf({ cosignatures }: OpenedCheckpoint, policy: Policy): number | null {
  const seconds = quorumBy(policy, cosignatures)
  return seconds === null ? null : seconds * 1000
}
