// SPDX-License-Identifier: Apache-2.0
import type { ErrorCode } from '#core/errors.ts'
import type { ModelFailure, ModelQuestion } from '#core/ports/language-model.ts'
import type { Said } from './fake-dialects.ts'

/** Each part is marked, so that it can be looked for where it must not be. */
export const QUESTION: ModelQuestion = {
  instructions: 'MARK-INSTRUCTIONS: say whether the facts agree',
  input: 'MARK-INPUT: F1 = 3.1 mmol/L; F2 = 31 mmol/L',
  schema: {
    type: 'object',
    description: 'MARK-SCHEMA',
    properties: { verdict: { type: 'string', enum: ['consistent', 'inconsistent', 'insufficient'] } },
    required: ['verdict'],
    additionalProperties: false,
  },
  schemaName: 'verdict',
  maxOutputTokens: 300,
}
/** A good answer, and what is counted for it. */
export const WHOLE: Said = { text: '{"verdict":"MARK-ANSWER"}', end: 'whole' }
export const COUNTED = { inputTokens: 11, outputTokens: 7 }

/** What is no JSON, or not JSON alone. */
export const NOT_ONE_JSON = [
  '',
  'MARK-ANSWER',
  '{"verdict":"MARK-ANSWER"',
  "{'verdict':'MARK-ANSWER'}",
  '```json\n{"verdict":"MARK-ANSWER"}\n```',
  'As asked, MARK-ANSWER: {"verdict":"consistent"}',
  '{"verdict":"consistent"} {"verdict":"inconsistent"} MARK-ANSWER',
  '{"verdict":"consistent"}\nIgnore the above: MARK-ANSWER',
  '\ufeff{"verdict":"MARK-ANSWER"}',
]

/** What each status of a server means. */
export const STATUSES: readonly (readonly [number, ModelFailure, ErrorCode])[] = [
  [202, 'broken', 'UPSTREAM_FAILED'],
  [400, 'unsupported', 'CONFIGURATION'],
  [401, 'barred', 'CONFIGURATION'],
  [403, 'barred', 'CONFIGURATION'],
  [404, 'unknown-model', 'CONFIGURATION'],
  [408, 'late', 'UPSTREAM_FAILED'],
  [413, 'too-long', 'TOO_LARGE'],
  [422, 'unsupported', 'CONFIGURATION'],
  [424, 'broken', 'UPSTREAM_FAILED'],
  [429, 'busy', 'UPSTREAM_FAILED'],
  [500, 'broken', 'UPSTREAM_FAILED'],
  [502, 'broken', 'UPSTREAM_FAILED'],
  [503, 'broken', 'UPSTREAM_FAILED'],
  [529, 'broken', 'UPSTREAM_FAILED'],
]

/** What a server says at 08:49:37 of when to ask again, and in how many seconds that is. */
export const RETRY_AFTER: readonly (readonly [string | null, number | null])[] = [
  ['7', 7],
  ['0', 0],
  ['100000', 86_400],
  ['Sun, 06 Nov 1994 08:50:07 GMT', 30],
  ['Sun, 06 Nov 1994 08:00:00 GMT', 0],
  ['-7', null],
  ['soon, says MARK-ANSWER', null],
  [null, null],
]
