// SPDX-License-Identifier: Apache-2.0
import { parsePolicy, type Policy } from '#core/log/policy/policy.ts'
import { refuse, usage } from '../../program/refuse.ts'
import {
  needOf,
  organisationsOf,
  QUORUM_GROUP,
  quorumLines,
  withoutQuorum,
  type Extended,
} from './policy-text.ts'

/** A policy with one witness less, and what would have been asked of it. */
export interface Reduced extends Extended {
  /** Where the witness is asked; null where it is not known, or no such witness is in the policy. */
  readonly url: string | null
}

/**
 * Removes a witness from the text of a policy file, with all its keys and the group that they are; lines that are not
 * its own or the quorum's stay as somebody wrote them.
 * @param keyName name of its keys
 * @param need how many organisations must cosign from then on; as many as before where it is left out
 * @throws AmpereError CONFIGURATION for a quorum that those who are left could not reach, or that was written in another
 * form; CommanderError (usage) for a count that no quorum can have
 */
export function withoutWitness(before: string, keyName: string, need?: number): Reduced {
  const policy = parsePolicy(before)
  const organisations = organisationsOf(policy)
  const old = needOf(policy, organisations)
  const own = policy.witnesses.filter(({ key }) => key.name === keyName)
  if (own.length === 0) return { text: before, isChanged: false, quorum: old, url: null }
  const gone = goneWith(policy, new Set(own.map(({ name }) => name)))
  const members = organisations.filter((name) => !gone.has(name))
  const quorum = { need: need ?? old.need, of: members.length }
  if (policy.quorum !== null) checkReachable(quorum, need !== undefined)
  const kept = policy.quorum === null ? lines(before) : withoutQuorum(before)
  const left = kept.filter((line) => !isOf(line, gone))
  const text = `${[...left, ...(policy.quorum === null ? [] : quorumLines(members, quorum))].join('\n')}\n`
  parsePolicy(text)
  return { text, isChanged: true, quorum, url: own[0]?.url ?? null }
}

/** Names that go with these witnesses: their own, and the groups that hold nobody else. */
function goneWith({ groups }: Policy, own: ReadonlySet<string>): ReadonlySet<string> {
  const gone = new Set(own)
  for (const { name, members } of groups) {
    const others = members.filter((member) => !gone.has(member))
    if (others.length === 0) gone.add(name)
    // A group that is one organisation by several keys would become another one.
    else if (members.some((member) => own.has(member)) && name !== QUORUM_GROUP)
      throw refuse(
        'CONFIGURATION',
        `policy.txt has the witness in the group ${name}, with others`,
        'take its lines out of policy.txt by hand',
      )
  }
  return gone
}

function checkReachable(
  { need, of }: { readonly need: number; readonly of: number },
  isGiven: boolean,
): void {
  if (of === 0) {
    const message = 'it is the only witness, and nobody would be left to cosign'
    throw refuse(
      'CONFIGURATION',
      message,
      'add another one first, or remove policy.txt: then nobody witnesses',
    )
  }
  if (need >= 1 && need <= of) return
  if (isGiven) throw usage(`--quorum is 1 to ${of}: so many organisations would be left`)
  const message = `${need} organisations must cosign, and only ${of} would be left`
  throw refuse(
    'CONFIGURATION',
    message,
    'say with --quorum COUNT how many must cosign from then on, or add another first',
  )
}

function lines(text: string): string[] {
  return text.replace(/\n$/, '').split('\n')
}

function isOf(line: string, names: ReadonlySet<string>): boolean {
  const [keyword, name = ''] = line.split(/[ \t]+/).filter((item) => item !== '')
  return (keyword === 'witness' || keyword === 'group') && names.has(name)
}
