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
  const latest = nowSeconds + COSIGNER_AHEAD_SECONDS
  const time = timeOf(
    policy,
    [...cosignatures].filter((cosigned) => cosigned.time <= latest),
    {
      never: 0,
      order: (a, b) => b - a,
    },
  )
  return time > 0 ? time : null
}

/**
 * By when a quorum says that it saw what was cosigned: the earliest time such that the cosigners who cosigned then or
 * earlier satisfy the policy by themselves. What they saw later than it can have been there, one of them who is honest
 * saw so too; a clock that is behind, of cosigners fewer than a quorum, moves it nowhere.
 *
 * Cosignatures of time 0 and of keys of nobody in the policy are ignored.
 * @param cosignatures that verified, all of one checkpoint
 * @returns POSIX seconds; null when they do not satisfy the quorum, and for a policy that asks for no cosignature
 */
export function quorumBy(policy: Policy, cosignatures: Iterable<Cosignature>): number | null {
  const time = timeOf(policy, [...cosignatures], { never: Infinity, order: (a, b) => a - b })
  return time > 0 && time < Infinity ? time : null
}

/** How times are combined: in a group of `k` the k-th in `order` counts; `never` stands for who did not cosign. */
interface Combining {
  readonly never: number
  readonly order: (a: number, b: number) => number
}

function timeOf(policy: Policy, cosignatures: readonly Cosignature[], { never, order }: Combining): number {
  const groups = new Map(policy.groups.map((group) => [group.name, group]))
  const witnesses = new Map(policy.witnesses.map((witness) => [witness.name, witness.key]))
  // Definitions are behind their members, so this ends.
  const ask = (name: string): number => {
    const group = groups.get(name)
    if (group) return group.members.map(ask).toSorted(order)[thresholdOf(group) - 1] ?? never
    const key = witnesses.get(name)
    const own = cosignatures.filter((other) => key !== undefined && isSameKey(key, other.key))
    const latest = Math.max(0, ...own.map(({ time }) => time))
    return latest > 0 ? latest : never
  }
  return policy.quorum === null ? never : ask(policy.quorum)
}
