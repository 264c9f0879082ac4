// SPDX-License-Identifier: Apache-2.0
import { SingleBar } from 'cli-progress'
import colors from 'picocolors'
import type { AmpereError } from '#core/errors.ts'
import { isAmpereError } from '#core/errors.ts'

/** Exit codes: 0 ok, 1 failed, 2 usage, 3 verification failed. */
export const EXIT = { ok: 0, failed: 1, usage: 2, verification: 3 } as const

/** Options that every command has. */
export interface Common {
  readonly data?: string
  readonly json?: boolean
  readonly debug?: boolean
}

/** Results go to standard output: one JSON object with --json, else lines for people. */
export function print(options: Common, json: object, lines: readonly string[]): void {
  process.stdout.write(options.json === true ? `${JSON.stringify(json)}\n` : `${lines.join('\n')}\n`)
}

/** What is said meanwhile goes to standard error. */
export function say(options: Common, line: string): void {
  if (options.json !== true) process.stderr.write(`${line}\n`)
}

/** A bar for long work; without a terminal there is none, and nothing is said. */
export function progress(
  options: Common,
  what: string,
): { update: (done: number) => void; stop: () => void } {
  if (options.json === true || !process.stderr.isTTY) return { update: () => {}, stop: () => {} }
  const bar = new SingleBar({
    format: `${what} {value} blocks, {duration_formatted}`,
    stream: process.stderr,
  })
  bar.start(0, 0)
  return { update: (done) => bar.update(done), stop: () => bar.stop() }
}

/** Ends the process with what went wrong, why, and what to do next. Never clinical text. */
export function fail(options: Common, error: unknown): number {
  const known = isAmpereError(error)
  const code = known ? error.code : 'UNEXPECTED'
  const message = error instanceof Error ? error.message : String(error)
  if (options.json === true) process.stdout.write(`${JSON.stringify({ ok: false, code, message })}\n`)
  else {
    process.stderr.write(`${colors.red('ampere:')} ${message} (${code})\n`)
    const next = known ? NEXT[error.code] : undefined
    if (next !== undefined) process.stderr.write(`  Next: ${next}\n`)
  }
  if (options.debug === true && error instanceof Error) process.stderr.write(`${String(error.stack)}\n`)
  return isAmpereError(error, 'VERIFICATION_FAILED', 'PROOF_INVALID', 'SIGNATURE_INVALID')
    ? EXIT.verification
    : EXIT.failed
}

const NEXT: Partial<Record<AmpereError['code'], string>> = {
  CONFIGURATION: 'npx ampere start --demo',
  STORE_LOCKED: 'use the running server, or stop it with Ctrl+C',
  PORT_IN_USE: 'npx ampere start --port 7400',
  PASSPHRASE_WRONG: 'set AMPERE_PASSPHRASE_FILE to the file with the right passphrase',
  STORE_VERSION: 'update Ampere, then start again',
}
