// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '#core/errors.ts'

/** A failure with what to do about it. */
export type DeployFailure = AmpereError & { readonly next?: string }

/** A failure of a deployment; what a provider said beyond the message is the cause. */
export function failure(message: string, next: string, cause?: unknown): DeployFailure {
  return Object.assign(new AmpereError('CONFIGURATION', message, { cause }), { next })
}

/** An error's text, or what stands for one that has none. */
export function textOf(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise
}
