// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { blockKeysAnswer, heldAnswer, movedAnswer, notesAnswer } from '#core/api/answers.ts'
import { chainId } from '#core/bytes/schema.ts'
import { countParameter, READ_PROBLEMS, SIGNED_PROBLEMS, type Operation } from '../host/operation.ts'

const JSON_TYPE = 'application/json'
const WHO = 'An active app instance of an institution that the chain grants to hold.'

export const listHeld = {
  id: 'listHeld',
  method: 'GET',
  pattern: '/v1/held',
  does: 'Gives a page of the chains that the caller may hold a copy of.',
  who: 'An active app instance. What it is not granted to hold is not in the answer.',
  signed: true,
  notes: 'A page may be empty and not be the last.',
  limits: ['requestToleranceMs', 'maxPageHeld'],
  path: {},
  query: {
    from: v.optional(v.pipe(chainId, v.description('`next` of the page before.'))),
  },
  body: null,
  answers: {
    200: {
      does: 'Chains with the height of their newest block; ask again from `next` until it is null.',
      type: JSON_TYPE,
      schema: heldAnswer,
    },
  },
  problems: ['REQUEST_MALFORMED', ...SIGNED_PROBLEMS, ...READ_PROBLEMS],
} as const satisfies Operation

export const readBlockKeys = {
  id: 'readBlockKeys',
  method: 'GET',
  pattern: '/v1/chains/:chain/keys/:height{[0-9]+}',
  does: 'Gives all packages and the label key that one block brought, for a copy from which the home can be restored.',
  who: WHO,
  signed: true,
  notes:
    'All of it is sealed for others but the label key, which tells which entries of the log are blocks of this chain: who holds all blocks knows that anyway, by their hashes.',
  limits: ['requestToleranceMs'],
  path: {
    chain: chainId,
    height: v.pipe(v.string(), v.regex(/^(0|[1-9]\d{0,14})$/), v.description('Height of the block.')),
  },
  query: {},
  body: null,
  answers: {
    200: {
      does: 'What the block brought; empty where it brought nothing.',
      type: JSON_TYPE,
      schema: blockKeysAnswer,
    },
  },
  problems: ['REQUEST_MALFORMED', 'NOT_FOUND', 'FORBIDDEN', ...SIGNED_PROBLEMS, ...READ_PROBLEMS],
} as const satisfies Operation

export const readMoved = {
  id: 'readMoved',
  method: 'GET',
  pattern: '/v1/chains/:chain/moved',
  does: 'Gives a page of the receipts of the logs of homes that the chain left, for a copy from which this home can give them again.',
  who: WHO,
  signed: true,
  notes:
    'In order of height; empty for a chain that never moved. Nothing in the answer is to be believed before it was verified by the keys of that log.',
  limits: ['requestToleranceMs', 'maxPageReceipts'],
  path: { chain: chainId },
  query: { from: countParameter(0, Number.MAX_SAFE_INTEGER, 0) },
  body: null,
  answers: {
    200: {
      does: 'Receipts from height `from` on; ask again from `next` until it is null.',
      type: JSON_TYPE,
      schema: movedAnswer,
    },
  },
  problems: ['REQUEST_MALFORMED', 'NOT_FOUND', 'FORBIDDEN', ...SIGNED_PROBLEMS, ...READ_PROBLEMS],
} as const satisfies Operation

export const readWitnessed = {
  id: 'readWitnessed',
  method: 'GET',
  pattern: '/v1/log/witnessed',
  does: 'Gives a page of the checkpoints of the log that had the quorum of the policy of this home, in order of size.',
  who: 'Anybody.',
  signed: false,
  notes:
    'First receipts are made with these. Nothing in the answer is to be believed before its signatures were verified.',
  limits: ['maxPageNotes'],
  path: {},
  query: { from: countParameter(0, Number.MAX_SAFE_INTEGER, 0) },
  body: null,
  answers: {
    200: {
      does: 'Checkpoints from size `from` on; ask again from `next` until it is null.',
      type: JSON_TYPE,
      schema: notesAnswer,
    },
  },
  problems: ['REQUEST_MALFORMED', ...READ_PROBLEMS],
} as const satisfies Operation
