// SPDX-License-Identifier: Apache-2.0
import { CommanderError } from 'commander'
import { isDataFileDamaged } from '#adapters/local/errors.ts'
import { AmpereError, isAmpereError, type ErrorCode } from '#core/errors.ts'
import { EXIT, paint, type Common } from '../terminal/screen.ts'
import { withPlace, type Place } from '../terminal/hints.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { printable } from '../terminal/words.ts'
import { HOME_DAMAGED } from './damaged.ts'
import type { Refusal } from './refuse.ts'

/** What to do next, by code, where the error itself does not say. */
const NEXT: Partial<Record<ErrorCode, string>> = {
  STORE_LOCKED: 'use the running server, or stop it with Ctrl+C',
  EXPORT_MALFORMED: 'name a file that chain export wrote',
  STORE_FULL: 'make room, then do the same again: what was acknowledged is kept',
  STORE_CORRUPT: 'npx ampere doctor, then docs/OPERATIONS.md, "When stores are damaged"',
  STORE_VERSION: 'update Ampere, then do the same again',
  STORE_UNAVAILABLE: 'npx ampere doctor',
  PORT_IN_USE: 'npx ampere doctor',
  PASSPHRASE_WRONG: 'give the right one: --passphrase-file FILE',
  UPSTREAM_FAILED: 'npx ampere doctor',
  CLOCK_SKEW: "set this computer's clock, then do the same again",
  REGISTRY_STALE: 'do the same again',
  CHAIN_MOVED: 'go on at the home that is named: docs/OPERATIONS.md, "Move a home"',
  HEAD_CONFLICT: 'do the same again',
  HOLD: 'npx ampere hold RECORD --off',
  FORBIDDEN: 'act as an institution that may: --as INSTITUTION',
  VERIFICATION_FAILED: 'npx ampere verify --all',
}

/** Which database it is, an error does not say: an institution's bridge has one too. */
const DATA_FILE = `npx ampere doctor says which file it is; where it is that of the home: ${HOME_DAMAGED}`

/** What an error says that left an evidence file. */
const EVIDENCE = /; evidence is kept as (.+)$/s

/** Errors of the operating system, in our words. */
const SYSTEM: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOENT: ['NOT_FOUND', 'there is no such file or folder'],
  EISDIR: ['REQUEST_MALFORMED', 'it is a folder, and a file is expected'],
  ENOTDIR: ['REQUEST_MALFORMED', 'a file is where a folder is expected'],
  EEXIST: ['ALREADY_EXISTS', 'it is there already, and nothing is overwritten'],
  EACCES: ['FORBIDDEN', 'this account may not read or write it'],
  EPERM: ['FORBIDDEN', 'this account may not read or write it'],
  EROFS: ['STORE_UNAVAILABLE', 'the file system is read-only'],
  ENOSPC: ['STORE_FULL', 'there is no room left on the disk'],
  EDQUOT: ['STORE_FULL', 'the quota of this account is used up'],
  EADDRINUSE: ['PORT_IN_USE', 'the port is in use'],
}

/** Says what went wrong, why, and what to do next; never clinical text. @returns the exit code */
export function fail(terminal: Terminal, options: Partial<Common> & Place, error: unknown): number {
  if (error instanceof CommanderError) return failUsage(terminal, options, error)
  const known = knownError(error)
  const next = known.next ?? (isDataFileDamaged(error) ? DATA_FILE : nextFor(known.code, known.message))
  const there = next === undefined ? undefined : withPlace(lookedAt(next, options), options)
  write(terminal, options, known.code, known.message, there)
  if (options.debug === true) terminal.err.write(`${frames(error).join('\n')}\n`)
  return isAmpereError(error, 'VERIFICATION_FAILED', 'PROOF_INVALID', 'SIGNATURE_INVALID')
    ? EXIT.verification
    : EXIT.failed
}

/** `doctor` looks at this computer; how a home in a cloud stands `deploy status` says. */
function lookedAt(next: string, { cloud }: Place): string {
  const [, provider, stage] = /^([a-z]+)-([a-z0-9-]+)$/.exec(cloud ?? '') ?? []
  if (provider === undefined || stage === undefined) return next
  return next.replace('npx ampere doctor', `npx ampere deploy status --provider ${provider} --stage ${stage}`)
}

function nextFor(code: ErrorCode | 'UNEXPECTED', message: string): string | undefined {
  if (code === 'VIOLATION' && message.startsWith('rule hold:')) return NEXT.HOLD
  const kept = code === 'VERIFICATION_FAILED' ? nextForEvidence(message) : undefined
  if (kept !== undefined) return kept
  return code === 'UNEXPECTED' ? undefined : NEXT[code]
}

/** What to do next with the evidence file that a message says was kept; undefined where it says of none. */
export function nextForEvidence(message: string): string | undefined {
  const kept = EVIDENCE.exec(message)?.[1]
  return kept && `npx ampere evidence verify ${kept}, and keep a copy of that file elsewhere`
}

function failUsage(terminal: Terminal, options: Partial<Common>, error: CommanderError): number {
  if (error.code === 'ampere.stopped') {
    if (options.json === true) write(terminal, options, 'STOPPED', error.message, undefined)
    else terminal.err.write(`${error.message}\n`)
    return EXIT.failed
  }
  const { next } = error as { next?: string }
  write(terminal, options, 'USAGE', error.message.replace(/^error: /, ''), next ?? 'npx ampere --help')
  return EXIT.usage
}

function write(
  terminal: Terminal,
  options: Partial<Common>,
  code: string,
  message: string,
  next: string | undefined,
): void {
  if (options.json === true) {
    const said = { ok: false, code, message, ...(next === undefined ? {} : { next }) }
    terminal.out.write(`${JSON.stringify(said)}\n`)
    return
  }
  const { red } = paint(terminal, terminal.err, options.color !== false)
  const [first = '', ...rest] = message.split('\n')
  const lines = [
    `${red('ampere:')} ${first} (${code})`,
    ...rest.map((line) => `  ${line.replace(/^\((.*)\)$/, '$1')}`),
  ]
  const all = [...lines, ...(next === undefined ? [] : [`  Next: ${next}`])]
  terminal.err.write(`${all.map(printable).join('\n')}\n`)
}

function knownError(error: unknown): {
  readonly code: ErrorCode | 'UNEXPECTED'
  readonly message: string
  readonly next?: string
} {
  if (error instanceof AmpereError) {
    const { code, message, next } = error as Refusal
    return { code, message, ...(next === undefined ? {} : { next }) }
  }
  const { code, path } = error as NodeJS.ErrnoException
  const system = typeof code === 'string' ? SYSTEM[code] : undefined
  if (system) return { code: system[0], message: `${path ?? 'a file'}: ${system[1]}` }
  // Its text stays unsaid: a parser's message quotes what it read.
  const kind = error instanceof Error ? error.name : typeof error
  return {
    code: 'UNEXPECTED',
    message: `something unexpected happened (${kind})`,
    next: 'the same with --debug',
  }
}

/** Where an error and its causes arose, without their texts, which may quote what was read. */
function frames(error: unknown): string[] {
  if (!(error instanceof Error)) return []
  const own = (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at '))
  return [error.name, ...own, ...(error.cause === undefined ? [] : ['caused by', ...frames(error.cause)])]
}
