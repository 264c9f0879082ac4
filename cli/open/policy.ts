// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { logOriginOf } from '#core/api/log.ts'
import { AmpereError, isAmpereError } from '#core/errors.ts'
import { formatVerifierKey, logKeyOfJwk } from '#core/log/note/key.ts'
import { parsePolicy, type Policy } from '#core/log/policy/policy.ts'
import type { Platform } from '#core/ports/needs.ts'
import type { Settings } from '../deployment/settings.ts'
import { refuse } from '../program/refuse.ts'

/** The file of a data folder that says who witnesses the home's log, in the format of c2sp.org/tlog-policy. */
export function policyFile(folder: string): string {
  return join(folder, 'policy.txt')
}

/** Keys of a home's log, as its deployment's settings pin them. */
export async function logKeysOf(platform: Platform, origin: string): Promise<readonly string[]> {
  const name = logOriginOf(origin)
  const [signer, quantum] = [await platform.signer('log'), await platform.signer('log-quantum')]
  return [
    formatVerifierKey(logKeyOfJwk(name, 'Ed25519', signer.publicKey)),
    formatVerifierKey(logKeyOfJwk(name, 'cosignature-ML-DSA-44', quantum.publicKey)),
  ]
}

/**
 * What this installation judges receipts by: the policy of its folder, or without one the keys of its home's log alone,
 * so that blocks are `logged` and never `witnessed`. Null for a folder that was set up before there was a log.
 * @throws AmpereError CONFIGURATION
 */
export function pinnedPolicy(folder: string, settings: Settings): Policy | null {
  const policy = readPolicy(folder, settings.origin)
  if (policy || settings.log.length === 0) return policy
  return parsePolicy([...settings.log.map((key) => `log ${key}\n`), 'quorum none\n'].join(''))
}

/**
 * The policy of a data folder whose home has this origin, or null while nobody witnesses.
 * @throws AmpereError CONFIGURATION, naming the line, also when it does not have the home's log
 */
export function readPolicy(folder: string, origin: string): Policy | null {
  const file = policyFile(folder)
  if (!existsSync(file)) return null
  try {
    const policy = parsePolicy(readFileSync(file))
    const log = logOriginOf(origin)
    if (policy.logs.some(({ key }) => key.name === log)) return policy
    throw new AmpereError('CONFIGURATION', `it has no line for the log of this home, ${log}`)
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

/** Verifier keys of the logs that the policy of a data folder trusts; none while it has no policy. */
export function readPolicyLogs(folder: string, origin: string): readonly string[] {
  return readPolicy(folder, origin)?.logs.map(({ key }) => formatVerifierKey(key)) ?? []
}
