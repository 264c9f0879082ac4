// SPDX-License-Identifier: Apache-2.0
import { isSameKey, type LogKey } from '../note/key.ts'
import { thresholdOf, type Policy } from './definitions.ts'

/** Whether enough have cosigned. */
export interface Quorum {
  readonly satisfied: boolean
  /**
   * When it is not satisfied, names of the witnesses whose cosignatures could still help, in the order of the policy's
   * groups: those that are wanted by the quorum and have not cosigned. Not all of them may be needed.
   */
  readonly missing: readonly string[]
}

/** Asks the quorum of a policy about the keys whose cosignatures verified; keys of nobody in it do not count. */
export function quorumOf(policy: Policy, cosigned: Iterable<LogKey>): Quorum {
  if (policy.quorum === null) return { satisfied: true, missing: [] }
  const keys = [...cosigned]
  const groups = new Map(policy.groups.map((group) => [group.name, group]))
  const have = new Set(
    policy.witnesses.filter(({ key }) => keys.some((other) => isSameKey(key, other))).map(({ name }) => name),
  )
  // Names are members once, so each is asked once.
  const ask = (name: string): Quorum => {
    const group = groups.get(name)
    if (!group)
      return have.has(name) ? { satisfied: true, missing: [] } : { satisfied: false, missing: [name] }
    const answers = group.members.map(ask)
    const satisfied = answers.filter((answer) => answer.satisfied).length >= thresholdOf(group)
    return { satisfied, missing: satisfied ? [] : answers.flatMap((answer) => answer.missing) }
  }
  return ask(policy.quorum)
}
