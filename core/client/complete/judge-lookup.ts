// SPDX-License-Identifier: Apache-2.0
import { openLookup, parseLookup, type LookupAnswer, type LookupStatement } from '../../api/lookup.ts'
import { logOriginOf } from '../../api/log.ts'
import { encodeLeaf } from '../../block/leaf.ts'
import { fromBase64url } from '../../bytes/encoding.ts'
import { equalBytes } from '../../bytes/frame.ts'
import type { Digest, Kid } from '../../bytes/ids.ts'
import type { Verifiers } from '../../crypto/signature.ts'
import { brokenRule } from '../../errors.ts'
import { openCheckpoint, type OpenedCheckpoint } from '../../log/note/open-checkpoint.ts'
import type { Policy } from '../../log/policy/policy.ts'
import { quorumTime } from '../../log/policy/quorum-time.ts'
import { parseTlogProof, policyKeys, verifyUnder } from '../../log/tlog-proof.ts'
import { headKeyAt, keyRecordOf, type RegistryView } from '../../registry/snapshot.ts'

/** What a monitor says of a label, and when witnesses saw the tree of which it says that. */
export interface Said {
  /** Where the label is, proved; or null where the monitor says that it is absent. */
  readonly index: number | null
  /** Leaves and root of the tree in which it looked. */
  readonly size: number
  readonly root: Digest
  /** Since when the quorum of the policy stands behind that tree (`quorumTime`), in ms since 1970; null unless it cosigned. */
  readonly seenMs: number | null
}

/** What lookups are judged by; nothing in an answer can choose its own judge. */
export interface LookupContext {
  /** Origin of the home whose log is asked about. */
  readonly home: string
  readonly policy: Policy
  /** The newest registry that the reader has. */
  readonly records: RegistryView
  readonly verifiers: Verifiers
  /** By which the clocks of witnesses are judged: cosignatures that are too far ahead of it are ignored. */
  readonly nowMs: number
}

/**
 * What a monitor's answer is worth (docs/PROTOCOL.md, Lookup). It counts if a key signed it that the registry has for the
 * deployment at that origin, and if the tree that it speaks of was signed by a key of the log in the policy. That a label
 * is present must be proved under that checkpoint; that one is absent is the monitor's word.
 * @throws AmpereError VERIFICATION_FAILED with rule `lookup`, and its kin of what has not its form or is not signed
 */
export async function judgeLookup(
  { home, policy, records, verifiers, nowMs }: LookupContext,
  origin: string,
  label: Digest,
  answer: LookupAnswer,
): Promise<Said> {
  const log = logOriginOf(home)
  const { kid } = parseLookup(answer.lookup).jws
  const key = headKeyAt(records, kid, origin)
  if (!key) throw brokenRule('lookup', `it is signed by a key that ${whyNotIts(records, kid)}`)
  const said = await openLookup(answer.lookup, key, verifiers)
  if (said.origin !== log || said.label !== label)
    throw brokenRule('lookup', 'it is about another log or label')
  if (said.index !== null && said.index >= said.size)
    throw brokenRule('lookup', 'its index is not in its tree')
  const opened = await openCheckpoint(answer.checkpoint, policyKeys(policy), verifiers)
  checkTree(said, opened)
  checkFound(said, answer, policy, opened)
  const seen = quorumTime(policy, opened.cosignatures, Math.floor(nowMs / 1000))
  return { index: said.index, size: said.size, root: said.root, seenMs: seen === null ? null : seen * 1000 }
}

/** Why a key does not speak for the deployment at an origin, for whoever keeps that monitor. */
function whyNotIts(records: RegistryView, kid: Kid): string {
  const record = keyRecordOf(records, kid)
  if (!record) return 'is not in the registry of this record: the monitor has to be a deployment in it'
  return record.revoked ? 'was revoked' : 'is not of the deployment at that address'
}

function checkTree({ origin, size, root }: LookupStatement, { checkpoint }: OpenedCheckpoint): void {
  const isSame = checkpoint.origin === origin && checkpoint.size === size
  if (!isSame || !equalBytes(checkpoint.root, fromBase64url(root)))
    throw brokenRule('lookup', 'the checkpoint beside it is of another tree')
}

/** A label that is there is shown by its leaf: then nobody has to believe the monitor. */
function checkFound(
  { index, label }: LookupStatement,
  { found, checkpoint }: LookupAnswer,
  policy: Policy,
  opened: OpenedCheckpoint,
): void {
  if ((found === null) !== (index === null))
    throw brokenRule('lookup', 'it has a proof only where it has an index')
  if (!found) return
  const proof = parseTlogProof(`${found.receipt}${checkpoint}`)
  const leaf = { label: fromBase64url(label), hash: fromBase64url(found.hash) }
  if (proof.note !== checkpoint || proof.index !== index || !equalBytes(proof.extra ?? NOTHING, leaf.label))
    throw brokenRule('lookup', 'its proof is of another leaf or checkpoint')
  verifyUnder(proof, encodeLeaf(leaf), policy, opened)
}

const NOTHING = new Uint8Array(0)
