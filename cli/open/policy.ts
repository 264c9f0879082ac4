// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAmpereError } from '#core/errors.ts'
import { parsePolicy, type Policy } from '#core/log/policy/policy.ts'
import { refuse } from '../program/refuse.ts'

/** The file of a data folder that says who witnesses the home's log, in the format of c2sp.org/tlog-policy. */
export function policyFile(folder: string): string {
  return join(folder, 'policy.txt')
}

/** The policy of a data folder, or null while nobody witnesses. @throws AmpereError CONFIGURATION, naming the line */
export function readPolicy(folder: string): Policy | null {
  const file = policyFile(folder)
  if (!existsSync(file)) return null
  try {
    return parsePolicy(readFileSync(file))
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
