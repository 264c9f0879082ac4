// SPDX-License-Identifier: Apache-2.0
import { CommanderError } from 'commander'
import { AmpereError, type ErrorCode } from '#core/errors.ts'
import { plain } from '../terminal/words.ts'

/** An error that says which command to run next. */
export type Refusal = AmpereError & { readonly next?: string }

/** An error of the command line itself: what, why, and the next command. */
export function refuse(code: ErrorCode, message: string, next?: string, cause?: unknown): Refusal {
  const error = new AmpereError(code, message, cause === undefined ? {} : { cause })
  return next === undefined ? error : Object.assign(error, { next })
}

/** The command was not given as it must be (exit code 2). */
export function usage(message: string): CommanderError {
  return new CommanderError(2, 'ampere.usage', message)
}

/** What is to be removed is not there: a name that was mistyped must not pass for one that is gone. @returns a refusal to be thrown */
export function noneSuch(name: string, what: string, known: readonly string[], next: string): Refusal {
  const here = known.length === 0 ? 'there is none' : `there are: ${known.map(plain).join(', ')}`
  return refuse(
    'NOT_FOUND',
    `${plain(name).slice(0, 80)} ${what}, so that nothing was changed; ${here}`,
    next,
  )
}
