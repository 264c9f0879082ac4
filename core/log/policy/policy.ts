// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '../../errors.ts'
import { formatVerifierKey, parseVerifierKey } from '../note/key.ts'
import { malformed, readDecimal, readLines, readText } from '../note/lines.ts'
import { Definitions, NO_QUORUM, type Policy, type PolicyGroup } from './definitions.ts'

export type { Policy, PolicyGroup, PolicyLog, PolicyWitness } from './definitions.ts'

/** Bytes of a policy file: more than as many ML-DSA-44 keys as it may have. */
export const MAX_POLICY_BYTES = 1024 * 1024

/**
 * Reads a policy file, c2sp.org/tlog-policy. Keys of ML-DSA-44 may stand for witnesses and for logs; torchwood reads
 * them for witnesses alone, and wants every listed log to have signed where the specification wants any one. Stricter
 * than that in two places: the file is UTF-8, and a public key occurs once, also where one line is a log's and the other
 * a witness's.
 * @throws AmpereError LOG_MALFORMED, or KEY_MALFORMED or UNSUPPORTED for a key; the message names the line
 */
export function parsePolicy(input: string | Uint8Array): Policy {
  const text = readText(input, MAX_POLICY_BYTES, 'a policy')
  const definitions = new Definitions()
  for (const [i, line] of readLines(text, 'a policy').entries()) {
    try {
      readLine(definitions, line)
    } catch (error) {
      throw inLine(i + 1, error)
    }
  }
  return definitions.policy()
}

/**
 * The file of a policy in one spelling: logs, witnesses, groups, quorum; single spaces; no comments.
 * @throws AmpereError for a policy that `parsePolicy` would not read
 */
export function formatPolicy(policy: Policy): string {
  const definitions = new Definitions()
  const lines: string[] = []
  for (const log of policy.logs) {
    definitions.addLog(log)
    lines.push(joined('log', formatVerifierKey(log.key), log.url))
  }
  for (const witness of policy.witnesses) {
    definitions.addWitness(witness)
    lines.push(joined('witness', witness.name, formatVerifierKey(witness.key), witness.url))
  }
  for (const group of policy.groups) {
    definitions.addGroup(group)
    lines.push(joined('group', group.name, String(group.rule), ...group.members))
  }
  definitions.setQuorum(policy.quorum)
  lines.push(joined('quorum', policy.quorum ?? NO_QUORUM))
  return readText(lines.join(''), MAX_POLICY_BYTES, 'a policy')
}

function readLine(definitions: Definitions, line: string): void {
  // oxlint-disable-next-line no-control-regex -- "Character set": of control characters only tab, and newline
  if (/[\0-\x08\x0b-\x1f\x7f]/.test(line)) throw malformed('a policy has a control character')
  const [keyword, ...items] = line.split(/[ \t]+/).filter((item) => item !== '')
  if (keyword === undefined || keyword.startsWith('#')) return
  const [first, second, third, ...rest] = items
  if (keyword === 'log' && first !== undefined && items.length <= 2) {
    definitions.addLog({ key: parseVerifierKey(first), url: second ?? null })
  } else if (keyword === 'witness' && first !== undefined && second !== undefined && items.length <= 3) {
    definitions.addWitness({ name: first, key: parseVerifierKey(second), url: third ?? null })
  } else if (keyword === 'group' && first !== undefined && second !== undefined && third !== undefined) {
    definitions.addGroup({ name: first, rule: readRule(second), members: [third, ...rest] })
  } else if (keyword === 'quorum' && first !== undefined && items.length === 1) {
    definitions.setQuorum(first === NO_QUORUM ? null : first)
  } else {
    throw malformed('not a log, witness, group or quorum with what belongs to it')
  }
}

function readRule(text: string): PolicyGroup['rule'] {
  return text === 'all' || text === 'any' ? text : readDecimal(text, 'the number of a group')
}

function joined(...items: readonly (string | null)[]): string {
  return `${items.filter((item) => item !== null).join(' ')}\n`
}

/** What is wrong with a line, with its number: people write these files. */
function inLine(line: number, error: unknown): unknown {
  if (!(error instanceof AmpereError)) return error
  return new AmpereError(error.code, `line ${line}: ${error.message}`, { cause: error })
}
