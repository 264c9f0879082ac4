// SPDX-License-Identifier: Apache-2.0
import { logOriginOf } from '#core/api/log.ts'
import { isAmpereError } from '#core/errors.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { formatPolicy, MAX_POLICY_BYTES, parsePolicy } from '#core/log/policy/policy.ts'
import { refuse } from '../program/refuse.ts'
import { readInput } from '../terminal/files.ts'

/** What a file from the operator of a home says of its log. */
export interface GivenPolicy {
  /** Verifier keys of its log. */
  readonly log: string[]
  /** The policy in one spelling; undefined where the file names no quorum, so that nobody is asked to have cosigned. */
  readonly policy?: string
}

/** Reads the policy of another home, or the lines of its log alone. @throws AmpereError CONFIGURATION, and as `readInput` */
export function readGivenPolicy(file: string, origin: string): GivenPolicy {
  const text = new TextDecoder().decode(readInput(file, MAX_POLICY_BYTES, 'it is no policy'))
  const name = logOriginOf(origin)
  const next = 'ask the operator of the home for a copy of its policy.txt'
  try {
    const policy = parsePolicy(/^quorum\b/m.test(text) ? text : `${text}\nquorum none\n`)
    const log = policy.logs.flatMap(({ key }) => (key.name === name ? [formatVerifierKey(key)] : []))
    if (log.length === 0) throw refuse('CONFIGURATION', `it has no line for the log ${name}`)
    return policy.quorum === null ? { log } : { log, policy: formatPolicy(policy) }
  } catch (cause) {
    if (!isAmpereError(cause)) throw cause
    throw refuse('CONFIGURATION', `${file}: ${cause.message}`, next, cause)
  }
}
