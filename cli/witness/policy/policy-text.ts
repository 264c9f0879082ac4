// SPDX-License-Identifier: Apache-2.0
import { AmpereError, isAmpereError } from '#core/errors.ts'
import { thresholdOf } from '#core/log/policy/definitions.ts'
import { parsePolicy, type Policy, type PolicyGroup } from '#core/log/policy/policy.ts'
import { formatVerifierKey, isSameKey, type LogKey } from '#core/log/note/key.ts'
import { refuse, usage } from '../../program/refuse.ts'

/** The group that is the quorum when more than one organisation witnesses: its members are the organisations. */
export const QUORUM_GROUP = 'witnesses'

/** A witness that is to be asked: all its keys answer at one URL. */
export interface NewWitness {
  readonly url: string
  readonly keys: readonly LogKey[]
}

/** How many organisations must have cosigned, of how many. */
export interface Need {
  readonly need: number
  readonly of: number
}

/** The text of a policy file with one more witness. */
export interface Extended {
  readonly text: string
  readonly isChanged: boolean
  readonly quorum: Need
}

/**
 * Adds a witness to the text of a policy file; lines that are not the quorum's stay as somebody wrote them. All keys
 * of the witness are one group `all`, so that it counts as one organisation, and only with every key.
 * @param before null where there is no policy yet
 * @param logKeys keys of this home's log, for a policy that begins
 * @param need how many organisations must cosign; without it more than half, so that any two quorums share one
 * @throws AmpereError CONFIGURATION for a quorum that was written in another form, ALREADY_EXISTS; CommanderError (usage)
 */
export function withWitness(
  before: string | null,
  logKeys: readonly LogKey[],
  { url, keys }: NewWitness,
  need?: number,
): Extended {
  const policy = before === null ? EMPTY : parsePolicy(before)
  const organisations = organisationsOf(policy)
  const known = keys.map((key) => policy.witnesses.find((other) => isSameKey(other.key, key)))
  const isKnown = known.every((witness) => witness !== undefined)
  if (!isKnown) checkNew(policy, keys, known)
  if (isKnown) checkUrl(known, url)
  if (isKnown && before !== null && need === undefined)
    return { text: before, isChanged: false, quorum: needOf(policy, organisations) }
  const name = isKnown ? null : unusedName(policy, keys[0]?.name ?? '')
  const members = name === null ? organisations : [...organisations, name]
  const quorum = { need: checkedNeed(need, members.length), of: members.length }
  const lines =
    before === null ? logKeys.map((key) => `log ${formatVerifierKey(key)}`) : withoutQuorum(before)
  if (name !== null) lines.push(...witnessLines(name, url, keys))
  const text = `${[...lines, ...quorumLines(members, quorum)].join('\n')}\n`
  parsePolicy(text)
  return { text, isChanged: text !== before, quorum }
}

/** How many organisations a policy asks for; null for a quorum that somebody wrote in another form. */
export function quorumOrNull(policy: Policy): Need | null {
  try {
    return needOf(policy, organisationsOf(policy))
  } catch (error) {
    if (isAmpereError(error, 'CONFIGURATION')) return null
    throw error
  }
}

const EMPTY: Policy = { logs: [], witnesses: [], groups: [], quorum: null }

/**
 * Names in a policy that stand for one organisation each: the members of the quorum.
 * @throws AmpereError CONFIGURATION where somebody wrote a quorum in another form
 */
export function organisationsOf({ witnesses, groups, quorum }: Policy): readonly string[] {
  const inGroups = new Set(groups.flatMap(({ members }) => members))
  if (quorum === null)
    return [...witnesses, ...groups].map(({ name }) => name).filter((name) => !inGroups.has(name))
  const group = groups.find(({ name }) => name === quorum)
  if (group?.name === QUORUM_GROUP && !inGroups.has(QUORUM_GROUP)) return group.members
  if (!inGroups.has(quorum) && (!group || isOrganisation(group, witnesses))) return [quorum]
  throw refuse(
    'CONFIGURATION',
    `policy.txt has a quorum that was written by hand (${quorum}), and this command does not change its meaning`,
    'add or remove the lines of the witness in policy.txt by hand: npx ampere witness add --help',
  )
}

/** A group of keys that all have to sign is one organisation with several keys. */
function isOrganisation({ rule, members }: PolicyGroup, witnesses: Policy['witnesses']): boolean {
  return rule === 'all' && members.every((member) => witnesses.some(({ name }) => name === member))
}

/** How many of these organisations a policy asks for; 0 where it has no quorum. */
export function needOf({ groups, quorum }: Policy, organisations: readonly string[]): Need {
  if (quorum === null) return { need: 0, of: organisations.length }
  const group = groups.find(({ name }) => name === QUORUM_GROUP && name === quorum)
  return { need: group ? thresholdOf(group) : 1, of: organisations.length }
}

function checkNew(policy: Policy, keys: readonly LogKey[], known: readonly unknown[]): void {
  const isNamed = policy.witnesses.some(({ key }) => key.name === keys[0]?.name)
  if (!isNamed && known.every((witness) => witness === undefined)) return
  const message = 'policy.txt has a witness of that name with other keys'
  throw refuse(
    'ALREADY_EXISTS',
    message,
    'if its operator confirms the new ones, remove its lines from policy.txt and add it again',
  )
}

function checkUrl(known: readonly ({ readonly url: string | null } | undefined)[], url: string): void {
  if (known.every((witness) => witness?.url === url)) return
  const message = 'policy.txt has these keys with another URL'
  throw refuse('ALREADY_EXISTS', message, 'correct the URL in policy.txt where the witness has moved')
}

function checkedNeed(need: number | undefined, of: number): number {
  if (need === undefined) return Math.floor(of / 2) + 1
  if (need >= 1 && need <= of) return need
  throw usage(`--quorum is 1 to ${of}: so many organisations would witness`)
}

/** The lines of a policy without those of the quorum, which are written anew behind the others. */
export function withoutQuorum(text: string): string[] {
  return text
    .replace(/\n$/, '')
    .split('\n')
    .filter((line) => {
      const [keyword, name] = line.split(/[ \t]+/).filter((item) => item !== '')
      return keyword !== 'quorum' && !(keyword === 'group' && name === QUORUM_GROUP)
    })
}

function witnessLines(name: string, url: string, keys: readonly LogKey[]): string[] {
  const names = keys.map((_, i) => `${name}-${i + 1}`)
  return [
    ...keys.map((key, i) => `witness ${names[i] ?? ''} ${formatVerifierKey(key)} ${url}`),
    `group ${name} all ${names.join(' ')}`,
  ]
}

/** The quorum of so many of these organisations. */
export function quorumLines(members: readonly string[], { need }: Need): string[] {
  const [only] = members
  if (members.length === 1 && only !== undefined) return [`quorum ${only}`]
  return [`group ${QUORUM_GROUP} ${need} ${members.join(' ')}`, `quorum ${QUORUM_GROUP}`]
}

/** A name for groups: that of the key without its path, which is the host of a witness. */
function unusedName({ witnesses, groups }: Policy, keyName: string): string {
  const base = keyName.replace(/\/witness$/, '')
  if (base === '') throw new AmpereError('LOG_MALFORMED', 'a witness has no key')
  const taken = new Set([QUORUM_GROUP, 'none', ...[...witnesses, ...groups].map(({ name }) => name)])
  const isFree = (name: string) => ![name, `${name}-1`, `${name}-2`].some((each) => taken.has(each))
  for (let number = 1; ; number++) {
    const name = number === 1 ? base : `${base}.${number}`
    if (isFree(name)) return name
  }
}
