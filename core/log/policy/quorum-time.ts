// SPDX-License-Identifier: Apache-2.0
import type { Cosignature } from '../note/open-checkpoint.ts'
import { isSameKey } from '../note/key.ts'
import { thresholdOf, type Policy } from './definitions.ts'

/** Seconds by which the clock of a cosigner may be ahead; cosignatures of later times are ignored. */
export const COSIGNER_AHEAD_SECONDS = 120

/**
 * Since when a quorum stands behind what was cosigned: the latest time such that the cosigners who cosigned then or
 * later satisfy the policy by themselves. Members of a group of `k` thus count by the k-th latest of their times, so that
 * no witnesses fewer than the quorum can move it forward, and none that it can do without can hold it back.
 *
 * Cosignatures of time 0, of keys of nobody in the policy, and of times more than `COSIGNER_AHEAD_SECONDS` after
 * `nowSeconds` are ignored.
 * @param cosignatures that verified, all of one checkpoint
 * @param nowSeconds POSIX seconds on the clock of whoever asks; Infinity for one that trusts no clock of its own
 * @returns POSIX seconds, which may be up to `COSIGNER_AHEAD_SECONDS` ahead; null when they do not satisfy the
 *   quorum, and for a policy that asks for no cosignature
 */
export function quorumTime(
  policy: Policy,
  cosignatures: Iterable<Cosignature>,
  nowSeconds: number,
): number | null {
  if (policy.quorum === null) return null
  const latest = nowSeconds + COSIGNER_AHEAD_SECONDS
  const counting = [...cosignatures].filter(({ time }) => time > 0 && time <= latest)
  const groups = new Map(policy.groups.map((group) => [group.name, group]))
  const witnesses = new Map(policy.witnesses.map((witness) => [witness.name, witness.key]))
  // Definitions are behind their members, so this ends; 0 stands for never, as it does in a cosignature.
  const timeOf = (name: string): number => {
    const group = groups.get(name)
    if (group) return group.members.map(timeOf).toSorted((a, b) => b - a)[thresholdOf(group) - 1] ?? 0
    const key = witnesses.get(name)
    const own = counting.filter((other) => key !== undefined && isSameKey(key, other.key))
    return Math.max(0, ...own.map(({ time }) => time))
  }
  const time = timeOf(policy.quorum)
  return time > 0 ? time : null
}
