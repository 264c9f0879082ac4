// SPDX-License-Identifier: Apache-2.0
import { AmpereError, isAmpereError, type ErrorCode } from '../errors.ts'

/**
 * What one model is asked, whole: nothing is remembered between two questions. Whoever asks has the consent and has removed
 * what identifies: everything here leaves the process.
 */
export interface ModelQuestion {
  /** What is to be done, in our words. */
  readonly instructions: string
  /** What it is to be done with: data, whoever wrote it. */
  readonly input: string
  /**
   * JSON Schema (2020-12) of the answer, an object at its top. Providers that hold a model to it take a subset: every
   * property in `required`, `additionalProperties: false`, no limits of lengths or numbers, no recursion.
   */
  readonly schema: { readonly [keyword: string]: unknown }
  /** Name of the schema: letters, digits, `_` and `-`, up to 64. Models read it. */
  readonly schemaName: string
  /** An answer that would be longer is cut, and then is no answer. */
  readonly maxOutputTokens: number
}

/** Tokens as the server counted them, for the bill: it may lie. */
export interface ModelUsage {
  readonly inputTokens: number
  readonly outputTokens: number
}

/** A whole answer. Whether the model knew, or abstained, is for the schema to let it say. */
export interface ModelAnswer {
  /** The JSON that was answered, as JSON.parse reads it. Untrusted, and not compared with the schema. */
  readonly value: unknown
  /** The model, with its version where the server names one; the configured name where it names none. */
  readonly model: string
  /** What the server says of the build that answered (OpenAI: `system_fingerprint`). */
  readonly build: string | null
  /** Null where the server does not count. */
  readonly usage: ModelUsage | null
}

/**
 * Asks one language model for one structured answer. Not trusted: what is behind it reads every question, may keep it, and may
 * answer anything; its answers are claims, to be checked. The answer is asked for at temperature 0 where the model has one,
 * which makes two answers alike and not equal.
 *
 * Nothing is asked twice: retries cost money, and are the caller's. A question whose call failed may have been answered and billed.
 */
export interface LanguageModel {
  /** Which kind of server it is: `openai-compatible`, `bedrock`, `azure-openai`. */
  readonly provider: string
  /** The model as it is configured. */
  readonly model: string
  /** False only where the server's address is this machine itself; what listens there may still pass questions on. */
  readonly isExternal: boolean
  /**
   * @param options.signal the only time-out: whoever asks chooses it. Aborted before the call, nothing is sent
   * @throws AmpereError as FAILURES says; `failedAnswer` tells why. No message or cause carries anything of question, answer or
   *   key. TypeError or RangeError for a question that no model can be asked
   */
  answer(question: ModelQuestion, options: { readonly signal: AbortSignal }): Promise<ModelAnswer>
}

/** Why there is no answer. */
export type ModelFailure =
  | 'unreachable'
  | 'late'
  | 'busy'
  | 'broken'
  | 'truncated'
  | 'malformed'
  | 'oversized'
  | 'refused'
  | 'too-long'
  | 'barred'
  | 'unknown-model'
  | 'unsupported'

/** What is known of a call that failed; it is the error's cause. */
export interface FailedAnswer {
  readonly failure: ModelFailure
  /** What it cost all the same: a cut, malformed or refused answer is billed. Null where nothing was said. */
  readonly usage: ModelUsage | null
  /** Seconds after which the server wants to be asked again, at most a day; null where it says nothing. */
  readonly retryAfterSeconds: number | null
}

/** UPSTREAM_FAILED may be tried again, though `refused`, `truncated` and `oversized` will hardly end otherwise. */
const FAILURES: Readonly<Record<ModelFailure, readonly [ErrorCode, string]>> = {
  unreachable: ['UPSTREAM_FAILED', 'the language model cannot be reached'],
  late: ['UPSTREAM_FAILED', 'the language model did not answer in time'],
  busy: ['UPSTREAM_FAILED', 'the language model takes no more questions for now'],
  broken: ['UPSTREAM_FAILED', 'the server of the language model failed'],
  truncated: ['UPSTREAM_FAILED', 'the answer of the language model was cut at its limit of tokens'],
  malformed: ['UPSTREAM_FAILED', 'the language model did not answer with the JSON that was asked for'],
  oversized: ['UPSTREAM_FAILED', 'the language model answered with more bytes than are read'],
  refused: ['UPSTREAM_FAILED', 'the language model, or a filter of its provider, refused to answer'],
  'too-long': ['TOO_LARGE', 'the question is longer than the language model takes'],
  barred: ['CONFIGURATION', 'the language model refuses the key, token or role that it is asked with'],
  'unknown-model': ['CONFIGURATION', 'the server has no language model of the configured name'],
  unsupported: ['CONFIGURATION', 'the language model does not take what it is asked in this form'],
}

/** The error of a call that gave no answer. */
export function askingFailed(
  failure: ModelFailure,
  known: Partial<Omit<FailedAnswer, 'failure'>> = {},
): AmpereError {
  const [code, message] = FAILURES[failure]
  const cause: FailedAnswer = { failure, usage: null, retryAfterSeconds: null, ...known }
  return new AmpereError(code, message, { cause })
}

/** Why a language model gave no answer; null for every other error. */
export function failedAnswer(error: unknown): FailedAnswer | null {
  if (!isAmpereError(error)) return null
  const cause = error.cause as Partial<FailedAnswer> | null | undefined
  const isOurs = typeof cause?.failure === 'string' && Object.hasOwn(FAILURES, cause.failure)
  return isOurs ? (cause as FailedAnswer) : null
}

/** @throws TypeError, RangeError for what every provider would refuse, before anything is sent */
export function checkQuestion({
  instructions,
  input,
  schema,
  schemaName,
  maxOutputTokens,
}: ModelQuestion): void {
  if (instructions.trim() === '' || input.trim() === '')
    throw new RangeError('a question has instructions and input')
  if (schema['type'] !== 'object') throw new TypeError('the schema of an answer is that of an object')
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(schemaName))
    throw new RangeError('the name of a schema is 1 to 64 letters, digits, _ and -')
  if (!Number.isSafeInteger(maxOutputTokens) || maxOutputTokens < 1)
    throw new RangeError('an answer has at least one token')
}
