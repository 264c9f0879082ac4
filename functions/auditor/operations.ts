// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { auditAnswer, logAuditAnswer } from '#core/api/answers.ts'
import { jobAnswer } from '#core/api/large/job.ts'
import { chainId } from '#core/bytes/schema.ts'
import { READ_PROBLEMS, SIGNED_PROBLEMS, type Operation } from '../host/operation.ts'

const PREFER = { Prefer: '`respond-async` (RFC 7240) makes it a job; it may be ignored.' } as const
const begun = {
  does: 'A job was begun, or one that does the same goes on.',
  type: 'application/json',
  schema: jobAnswer,
  headers: {
    Location: 'Where to ask how far it came (readJob).',
    'Retry-After': 'Seconds after which to ask.',
    'Preference-Applied': '`respond-async`.',
  },
} as const

export const auditLog = {
  id: 'auditLog',
  method: 'GET',
  pattern: '/v1/audits/log',
  does: 'Builds the log of the home anew from its entry bundles and compares tiles, checkpoints, leaves and blocks with it.',
  who: 'An active app instance with capability control, of any institution. The answer names chains and rules, never contents.',
  signed: true,
  notes:
    'Runs within the request, until `maxAuditMs` have passed; then `next` says with what to go on: ask again with `from`. All slices are about the tree that was signed when the first began, and the last has the whole report. What is kept in between is kept for a day; a cursor is good until the second slice after it is made. A damaged log takes longer: what its tiles and blocks tell is read within one request. With `since=last` only what came after the last audit that found nothing is audited; one that finds nothing notes how far it came. With `Prefer: respond-async`, and without `from`, it becomes a job.',
  limits: ['maxAuditMs', 'requestToleranceMs'],
  path: {},
  query: {
    since: v.optional(
      v.pipe(v.literal('last'), v.description('Only what is new since the last audit that found nothing.')),
    ),
    from: v.optional(
      v.pipe(v.string(), v.maxLength(80), v.description('Goes on with an audit, from `next`.')),
    ),
  },
  headers: PREFER,
  body: null,
  answers: {
    200: {
      does: 'What was audited and what is wrong with it.',
      type: 'application/json',
      schema: logAuditAnswer,
    },
    202: begun,
  },
  problems: ['REQUEST_MALFORMED', 'FORBIDDEN', 'NOT_FOUND', ...SIGNED_PROBLEMS, ...READ_PROBLEMS],
} as const satisfies Operation

export const auditChains = {
  id: 'auditChains',
  method: 'GET',
  pattern: '/v1/audits/:chain',
  does: 'Verifies what the home holds of one chain or of all: signatures, rules, states, key rows and sealed objects.',
  who: 'An active app instance with capability control, of any institution. The answer names chains and rules, never contents.',
  signed: true,
  notes:
    'Runs within the request. With `all`, chains are audited one after the other until `maxAuditMs` have passed; then the answer covers what was done and `next` says where to go on: ask again with `from`. A chain that alone takes longer is given up: with `all` it is listed in `unfinished` and passed over, alone it is answered UNSUPPORTED; audit it beside the store, with `ampere verify --all`. One audit costs reading all that it covers. With `all`, without `from` and with `Prefer: respond-async` it becomes a job, which goes on by itself until every chain was audited.',
  limits: ['maxAuditMs', 'requestToleranceMs'],
  path: {
    chain: v.union([v.pipe(v.literal('all'), v.description('Every chain of the home.')), chainId]),
  },
  query: {
    from: v.optional(v.pipe(chainId, v.description('With `all`: the chain to begin with, from `next`.'))),
  },
  headers: PREFER,
  body: null,
  answers: {
    200: {
      does: 'What was verified and what is wrong with it.',
      type: 'application/json',
      schema: auditAnswer,
    },
    202: begun,
  },
  problems: [
    'REQUEST_MALFORMED',
    'FORBIDDEN',
    'NOT_FOUND',
    'UNSUPPORTED',
    ...SIGNED_PROBLEMS,
    ...READ_PROBLEMS,
  ],
} as const satisfies Operation
