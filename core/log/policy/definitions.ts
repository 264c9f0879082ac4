// SPDX-License-Identifier: Apache-2.0
import { toHex } from '../../bytes/encoding.ts'
import type { LogKey } from '../note/key.ts'
import { malformed } from '../note/lines.ts'

/** A log whose checkpoints count; its key's name is their origin. */
export interface PolicyLog {
  readonly key: LogKey
  readonly url: string | null
}

/** A cosigner under the name that groups and the quorum call it by. */
export interface PolicyWitness {
  readonly name: string
  readonly key: LogKey
  readonly url: string | null
}

/** Witnesses and groups of which some must have cosigned. */
export interface PolicyGroup {
  readonly name: string
  /** How many: every one, one, or that many. */
  readonly rule: 'all' | 'any' | number
  readonly members: readonly string[]
}

/** Who is trusted and how many must agree, c2sp.org/tlog-policy; what a verifier pins. */
export interface Policy {
  readonly logs: readonly PolicyLog[]
  readonly witnesses: readonly PolicyWitness[]
  /** Each after its members. */
  readonly groups: readonly PolicyGroup[]
  /** Name of a witness or group; null (`none` in the file) asks for no cosignature. */
  readonly quorum: string | null
}

/** Logs, witnesses and groups of a policy, each; the specification asks for 32. */
export const MAX_POLICY_ENTRIES = 128
/** The predefined name, which nothing else may have. */
export const NO_QUORUM = 'none'

/** Policies as they are defined, line after line: every rule of c2sp.org/tlog-policy "Structure" is asked here. */
export class Definitions {
  readonly #logs: PolicyLog[] = []
  readonly #witnesses: PolicyWitness[] = []
  readonly #groups: PolicyGroup[] = []
  #quorum: string | null | undefined
  readonly #names = new Set<string>()
  readonly #members = new Set<string>()
  readonly #publicKeys = new Set<string>()
  readonly #pairs = new Set<string>()

  addLog(log: PolicyLog): void {
    if (log.key.type === 'cosignature-Ed25519')
      throw malformed('the key of a log is of a type that only cosigns')
    this.#addKey(log.key)
    checkUrl(log.url)
    add(this.#logs, log, 'logs')
  }

  addWitness(witness: PolicyWitness): void {
    if (witness.key.type === 'Ed25519')
      throw malformed('the key of a witness is of a type that does not cosign')
    this.#addKey(witness.key)
    this.#addName(witness.name)
    checkUrl(witness.url)
    add(this.#witnesses, witness, 'witnesses')
  }

  addGroup(group: PolicyGroup): void {
    const { rule, members } = group
    const known = new Set(this.#names)
    this.#addName(group.name)
    for (const member of members) {
      if (!known.has(member)) throw malformed('a group has a member that is not defined before it')
      if (this.#members.has(member)) throw malformed('a name is a member of groups more than once')
      this.#members.add(member)
    }
    const count = thresholdOf(group)
    if (members.length === 0 || !Number.isSafeInteger(count) || count < 1 || count > members.length)
      throw malformed('the number of a group is not between 1 and the number of its members')
    add(this.#groups, { name: group.name, rule, members: [...members] }, 'groups')
  }

  setQuorum(name: string | null): void {
    if (this.#quorum !== undefined) throw malformed('a policy has more than one quorum')
    if (name !== null && !this.#names.has(name))
      throw malformed('the quorum of a policy is not defined before it')
    this.#quorum = name
  }

  policy(): Policy {
    if (this.#quorum === undefined)
      throw malformed(
        'a policy has no quorum line: append "quorum none", which asks for no cosignature, or name one',
      )
    return {
      logs: this.#logs,
      witnesses: this.#witnesses,
      groups: this.#groups,
      quorum: this.#quorum,
    }
  }

  /** No key twice, by what it is and by what it is called, whatever the line and type: a key has one use. */
  #addKey(key: LogKey): void {
    const publicKey = toHex(key.publicKey)
    if (this.#publicKeys.has(publicKey)) throw malformed('a policy has a public key twice')
    this.#publicKeys.add(publicKey)
    const pair = `${key.name} ${key.id}`
    if (this.#pairs.has(pair)) throw malformed('two keys of a policy share a name and a key ID')
    this.#pairs.add(pair)
  }

  #addName(name: string): void {
    // oxlint-disable-next-line no-control-regex -- tlog-policy "Character set" forbids exactly these
    if (!/^[^\0-\x20\x7f]+$/.test(name) || !name.isWellFormed())
      throw malformed('a name of a policy is empty or has a space or control character')
    if (name === NO_QUORUM) throw malformed(`the name "${NO_QUORUM}" is predefined`)
    if (this.#names.has(name)) throw malformed('a name of a policy is defined twice')
    this.#names.add(name)
  }
}

/** How many members of a group must have cosigned. */
export function thresholdOf({ rule, members }: PolicyGroup): number {
  if (rule === 'all') return members.length
  return rule === 'any' ? 1 : rule
}

function add<Item>(list: Item[], item: Item, what: string): void {
  if (list.length === MAX_POLICY_ENTRIES)
    throw malformed(`a policy has more than ${MAX_POLICY_ENTRIES} ${what}`)
  list.push(item)
}

/** Also refuses a comment behind a definition, which the format does not have. */
function checkUrl(url: string | null): void {
  // oxlint-disable-next-line no-control-regex -- as names
  if (url !== null && (/[\0-\x20\x7f]/.test(url) || !url.isWellFormed() || !URL.canParse(url)))
    throw malformed('what follows a key is not a URL')
}
