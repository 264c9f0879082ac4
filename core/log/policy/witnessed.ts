// SPDX-License-Identifier: Apache-2.0
import { hasEachType, type OpenedCheckpoint } from '../note/open-checkpoint.ts'
import type { Policy } from './definitions.ts'
import { quorumOf } from './quorum.ts'

/**
 * True when readers with this policy accept a checkpoint as one that has its quorum: whoever keeps checkpoints for receipts asks
 * as they do, so that none is kept that they refuse. Its log signed with each of its types of keys, and cosignatures
 * that say when satisfy the quorum; for a policy that asks for none that is so.
 * @param opened with the keys of the policy
 */
export function isWitnessed(
  policy: Policy,
  opened: Pick<OpenedCheckpoint, 'checkpoint' | 'signedBy' | 'cosignatures'>,
): boolean {
  const logs = policy.logs.map(({ key }) => key)
  const timed = opened.cosignatures.filter(({ time }) => time > 0).map(({ key }) => key)
  return hasEachType(logs, opened) && quorumOf(policy, timed).satisfied
}
