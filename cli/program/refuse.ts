// SPDX-License-Identifier: Apache-2.0
import { CommanderError } from 'commander'
import { AmpereError, type ErrorCode } from '#core/errors.ts'

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
