// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { replaceFile } from '#adapters/local/store/durable-file.ts'
import { logOriginOf } from '#core/api/log.ts'
import { AmpereError, isAmpereError } from '#core/errors.ts'
import { parsePolicy, type Policy } from '#core/log/policy/policy.ts'
import { refuse } from '../program/refuse.ts'

/** The file of a data folder that says who witnesses the home's log, in the format of c2sp.org/tlog-policy. */
export function policyFile(folder: string): string {
  return join(folder, 'policy.txt')
}

/** What is in that file, or null where there is none. */
export function readPolicyText(folder: string): string | null {
  const file = policyFile(folder)
  return existsSync(file) ? readFileSync(file, 'utf8') : null
}

/**
 * The policy of a data folder whose home has this origin, or null while nobody witnesses.
 * @throws AmpereError CONFIGURATION, naming the line, also when it does not have the home's log
 */
export function readPolicy(folder: string, origin: string): Policy | null {
  const file = policyFile(folder)
  if (!existsSync(file)) return null
  try {
    return checked(readFileSync(file), origin)
  } catch (cause) {
    if (!isAmpereError(cause)) throw cause
    throw refuse(
      'CONFIGURATION',
      `${file}: ${cause.message}`,
      'correct it, or remove it: then nobody witnesses',
      cause,
    )
  }
}

/**
 * Replaces the policy as a whole, durably; whatever fails, the file is the one before or this one. A server reads it
 * when it starts.
 * @throws AmpereError for what a home of this origin would not start with; then nothing was written
 */
export function writePolicy(folder: string, origin: string, text: string): void {
  checked(text, origin)
  replaceFile(policyFile(folder), text)
}

function checked(text: string | Uint8Array, origin: string): Policy {
  const policy = parsePolicy(text)
  const log = logOriginOf(origin)
  if (policy.logs.some(({ key }) => key.name === log)) return policy
  throw new AmpereError('CONFIGURATION', `it has no line for the log of this home, ${log}`)
}
