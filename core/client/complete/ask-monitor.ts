// SPDX-License-Identifier: Apache-2.0
import { logIdOf, logOriginOf } from '../../api/log.ts'
import { MAX_ANSWER_BYTES } from '../../api/limits.ts'
import { lookupAnswer, openLookup, parseLookup, type LookupStatement } from '../../api/lookup.ts'
import { fromBase64url } from '../../bytes/encoding.ts'
import { equalBytes } from '../../bytes/frame.ts'
import type { Digest } from '../../bytes/ids.ts'
import { parseWith } from '../../bytes/schema.ts'
import { AmpereError } from '../../errors.ts'
import { openCheckpoint } from '../../log/note/open-checkpoint.ts'
import type { Policy } from '../../log/policy/policy.ts'
import { quorumOf } from '../../log/policy/quorum.ts'
import { policyKeys } from '../../log/tlog-proof.ts'
import { headKeyAt } from '../../registry/snapshot.ts'
import { call } from '../answer.ts'
import { answered, readJson } from '../home-api.ts'
import type { Connection } from '../connect.ts'

/** What a monitor says of a label, and when witnesses saw the tree of which it says that. */
export interface Said {
  /** Where the label is, or null where it is absent. */
  readonly index: number | null
  /** Leaves of the tree. */
  readonly size: number
  /** Latest time of a cosignature by a witness of the policy, in ms since 1970; null unless its quorum cosigned. */
  readonly seenMs: number | null
}

/**
 * Asks one monitor for a label in the home's log. What it says counts if a key signed it that the newest registry has
 * for the deployment at that origin, and if the tree that it speaks of was signed by a key of the log in the policy.
 * @throws AmpereError UPSTREAM_FAILED, NOT_FOUND when the log is not monitored there, VERIFICATION_FAILED and its kin
 */
export async function askMonitor(
  { ports, sync: { registry, verifiers } }: Connection,
  origin: string,
  policy: Policy,
  label: Digest,
): Promise<Said> {
  const log = logOriginOf(ports.pins.origin)
  const url = new URL(`/v1/lookups/${logIdOf(log)}/${label}`, origin)
  const request = { url, init: {}, bytes: 0 }
  const outside = { fetch: ports.outside ?? ports.fetch, deadline: ports.deadline }
  const bytes = answered(await call(outside, request, { maxBytes: MAX_ANSWER_BYTES.lookup, beyond: 'fail' }))
  const answer = parseWith(lookupAnswer, readJson(bytes), 'UPSTREAM_FAILED', 'answer')
  const key = headKeyAt(registry.newest(), parseLookup(answer.lookup).jws.kid, origin)
  if (!key) throw failed("it is signed by a key that is not that deployment's, or is revoked")
  const said = await openLookup(answer.lookup, key, verifiers)
  if (said.origin !== log || said.label !== label) throw failed('it is about another log or label')
  if (said.index !== null && said.index >= said.size) throw failed('its index is not in its tree')
  return {
    index: said.index,
    size: said.size,
    seenMs: await seenAt(answer.checkpoint, said, policy, verifiers),
  }
}

async function seenAt(
  note: string,
  { origin, size, root }: LookupStatement,
  policy: Policy,
  verifiers: Connection['sync']['verifiers'],
): Promise<number | null> {
  const { checkpoint, cosignatures } = await openCheckpoint(note, policyKeys(policy), verifiers)
  const isSame = checkpoint.origin === origin && checkpoint.size === size
  if (!isSame || !equalBytes(checkpoint.root, fromBase64url(root)))
    throw failed('the checkpoint beside it is of another tree')
  // A witness states when it saw the tree; a cosignature without a time is no such statement.
  const timed = cosignatures.filter(({ time }) => time > 0)
  const { satisfied } = quorumOf(
    policy,
    timed.map(({ key }) => key),
  )
  if (policy.quorum === null || !satisfied) return null
  return Math.max(...timed.map(({ time }) => time)) * 1000
}

function failed(detail: string): AmpereError {
  return new AmpereError('VERIFICATION_FAILED', `rule lookup: ${detail}`)
}
