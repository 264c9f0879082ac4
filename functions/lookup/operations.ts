// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { findingsAnswer, lookupAnswer, monitoredAnswer } from '#core/api/lookup.ts'
import { digest } from '#core/bytes/schema.ts'
import { countParameter, READ_PROBLEMS, type Operation } from '../host/operation.ts'

const log = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{64}$/),
  v.description('SHA-256 of the origin of the log, in lower-case hexadecimal.'),
)

export const lookUpLabel = {
  id: 'lookUpLabel',
  method: 'GET',
  pattern: '/v1/lookups/:log/:label',
  does: 'Says, signed, whether a label is in the log of another deployment that this one monitors.',
  who: 'Anybody: a label says nothing to whoever does not have its key.',
  signed: false,
  notes:
    'A label that is found is where the statement says in the newest tree that was verified here; one that is not is absent from the newest one that the quorum of this monitor cosigned, or from the newest one where none is. What is found comes with its inclusion proof. Costs three rows and a signature, and up to 14 rows more where it is found; no limit is kept here, whoever exposes it to strangers puts one in front.',
  limits: [],
  path: { log, label: v.pipe(digest, v.description('The label, 32 bytes in base64url.')) },
  query: {},
  body: null,
  answers: {
    200: {
      does: 'The statement, by a key of this deployment for statements, and the checkpoint that it speaks of.',
      type: 'application/json',
      schema: lookupAnswer,
    },
  },
  problems: ['REQUEST_MALFORMED', 'NOT_FOUND', ...READ_PROBLEMS, 'KEY_UNAVAILABLE'],
} as const satisfies Operation

export const readMonitored = {
  id: 'readMonitored',
  method: 'GET',
  pattern: '/v1/lookups/:log',
  does: 'Says how far this deployment is with a log that it monitors, and what speaks against the log.',
  who: 'Anybody.',
  signed: false,
  limits: [],
  path: { log },
  query: {},
  body: null,
  answers: {
    200: { does: 'How far it is.', type: 'application/json', schema: monitoredAnswer },
  },
  problems: ['REQUEST_MALFORMED', 'NOT_FOUND', ...READ_PROBLEMS],
} as const satisfies Operation

export const listFindings = {
  id: 'listFindings',
  method: 'GET',
  pattern: '/v1/monitored/:log/findings',
  does: 'Gives a page of what speaks against a log that this deployment monitors.',
  who: 'Anybody.',
  signed: false,
  notes:
    'All of it was signed by the log, or is in the log for everybody. Whoever has the keys of the log makes evidence of it that convinces without trust in this deployment; what is no proof is a lead.',
  limits: [],
  path: { log },
  query: { from: countParameter(0, Number.MAX_SAFE_INTEGER, 0) },
  body: null,
  answers: {
    200: { does: 'What was found, by kind.', type: 'application/json', schema: findingsAnswer },
  },
  problems: ['REQUEST_MALFORMED', 'NOT_FOUND', ...READ_PROBLEMS],
} as const satisfies Operation
