// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { replaceFile } from '#adapters/local/store/durable-file.ts'
import { logOriginOf } from '#core/api/log.ts'
import { AmpereError, isAmpereError } from '#core/errors.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { parsePolicy, type Policy } from '#core/log/policy/policy.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'
import { logKeys } from '#core/server/sequence/tree.ts'
import type { Settings } from '../deployment/settings.ts'
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

/** Keys of a home's log, as its deployment's settings pin them. */
export async function logKeysOf(platform: Platform, origin: string): Promise<readonly string[]> {
  return logKeys(await select(platform, SEQUENCER_NEEDS), logOriginOf(origin)).map(formatVerifierKey)
}

/**
 * What this installation judges receipts by: the policy of its folder, or without one the keys of its home's log alone,
 * so that blocks are `logged` and never `witnessed`. Null for a folder that was set up before there was a log.
 * @throws AmpereError CONFIGURATION
 */
export function pinnedPolicy(folder: string, settings: Settings): Policy | null {
  const policy = readPolicy(folder, settings.origin)
  if (policy) return policy
  const text = unwitnessedText(settings)
  return text === null ? null : parsePolicy(text)
}

/** The same as text, to be told to others: they then trust what this installation does. */
export function pinnedPolicyText(folder: string, settings: Settings): string | null {
  return readPolicyText(folder) ?? unwitnessedText(settings)
}

function unwitnessedText({ log, left = [] }: Settings): string | null {
  if (log.length === 0) return null
  return [...[...log, ...left].map((key) => `log ${key}\n`), 'quorum none\n'].join('')
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

/** Verifier keys of the logs that this installation trusts. */
export function pinnedLogs(folder: string, settings: Settings): readonly string[] {
  return pinnedPolicy(folder, settings)?.logs.map(({ key }) => formatVerifierKey(key)) ?? []
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
