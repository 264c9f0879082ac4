// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { enrolmentAnswer, enrolmentsAnswer } from '#core/api/answers.ts'
import { digest, institutionId } from '#core/bytes/schema.ts'
import { READ_PROBLEMS, SIGNED_PROBLEMS, type Operation } from '../host/operation.ts'

const JSON_TYPE = 'application/json'
const WRITE_PROBLEMS = [
  'REQUEST_MALFORMED',
  'ENCODING_MALFORMED',
  'JWS_MALFORMED',
  'KEY_MALFORMED',
  'SIGNATURE_INVALID',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'GONE',
  'CLOCK_SKEW',
  'TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'STORE_FULL',
  ...READ_PROBLEMS,
] as const
const id = v.pipe(digest, v.description('Id of the request: SHA-256 of its signing input.'))
/** Crockford's base32 has no I, L, O and U. */
const symbols = '[0-9A-HJKMNP-TV-Z]'

export const askToEnrol = {
  id: 'askToEnrol',
  method: 'POST',
  pattern: '/v1/enrolments',
  does: 'Asks an institution to enter a new key as that of an app instance.',
  who: 'Anybody: a request is signed by the key that it brings, and gives nothing before the institution answers.',
  signed: false,
  notes:
    'The same request again is answered as it stands; a key that the registry has is refused with ALREADY_EXISTS, a request whose time is over with GONE. Of each institution 1,024 requests are kept, each in the place that the first two characters of its code name, and a new one takes the place of another: who waits asks how his stands, and sends it again on NOT_FOUND.',
  limits: ['maxEnrolmentBytes', 'enrolmentLifeMs', 'clockToleranceMs'],
  path: {},
  query: {},
  body: {
    does: 'One compact JWS (ampere-enrolment+jws) as ASCII.',
    type: 'application/jose',
    limit: 'maxEnrolmentBytes',
  },
  answers: { 201: { does: 'How it stands.', type: JSON_TYPE, schema: enrolmentAnswer } },
  problems: WRITE_PROBLEMS,
} as const satisfies Operation

export const readEnrolment = {
  id: 'readEnrolment',
  method: 'GET',
  pattern: '/v1/enrolments/:id',
  does: 'Says how a request to be enrolled stands.',
  who: 'Anybody who knows its id, which nobody can guess. The answer gives nothing to who does not have the keys that it is for.',
  signed: false,
  limits: [],
  path: { id },
  query: { institution: v.pipe(institutionId, v.description('The institution that is asked.')) },
  body: null,
  answers: { 200: { does: 'How it stands.', type: JSON_TYPE, schema: enrolmentAnswer } },
  problems: ['REQUEST_MALFORMED', 'NOT_FOUND', ...READ_PROBLEMS],
} as const satisfies Operation

export const listEnrolments = {
  id: 'listEnrolments',
  method: 'GET',
  pattern: '/v1/enrolments',
  does: 'Gives the requests that ask the calling institution, or the one with a code.',
  who: 'The root key or an active app instance of the institution.',
  signed: true,
  notes: 'Whoever approves one computes its code anew, and compares all of it.',
  limits: ['requestToleranceMs', 'maxPageEnrolments'],
  path: {},
  query: {
    code: v.optional(
      v.pipe(
        v.string(),
        v.regex(new RegExp(`^${symbols}{12}$`)),
        v.description('Twelve characters, without hyphens.'),
      ),
    ),
    from: v.optional(
      v.pipe(v.string(), v.regex(new RegExp(`^${symbols}{2}$`)), v.description('`next` of the page before.')),
    ),
  },
  body: null,
  answers: {
    200: {
      does: 'Requests (ampere-enrolment+jws); ask again from `next` until it is null.',
      type: JSON_TYPE,
      schema: enrolmentsAnswer,
    },
  },
  problems: ['REQUEST_MALFORMED', 'NOT_FOUND', ...SIGNED_PROBLEMS, ...READ_PROBLEMS],
} as const satisfies Operation

export const answerEnrolment = {
  id: 'answerEnrolment',
  method: 'POST',
  pattern: '/v1/enrolments/:id/answer',
  does: 'Answers a request to be enrolled.',
  who: 'The institution that was asked: an answer is signed by its root key.',
  signed: false,
  notes:
    'An approval is taken once the registry has the key, a refusal while the request waits. The first answer stays; the same verdict again is answered as it stands, another one with ALREADY_EXISTS. Answers are kept for a day.',
  limits: ['maxEnrolmentBytes', 'clockToleranceMs'],
  path: { id },
  query: {},
  body: {
    does: 'One compact JWS (ampere-enrolment-answer+jws) as ASCII.',
    type: 'application/jose',
    limit: 'maxEnrolmentBytes',
  },
  answers: { 201: { does: 'How it stands.', type: JSON_TYPE, schema: enrolmentAnswer } },
  problems: ['UNAUTHORIZED', 'VERIFICATION_FAILED', ...WRITE_PROBLEMS],
} as const satisfies Operation
