// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import {
  blocksAnswer,
  recordAnswer,
  recordProofAnswer,
  registryAddedAnswer,
  shownAnswer,
  shownPageAnswer,
} from '#core/api/answers.ts'
import { MAX_PAGE_BLOCKS, MAX_PAGE_SHOWN } from '#core/api/limits.ts'
import { kid } from '#core/bytes/schema.ts'
import { countParameter, READ_PROBLEMS, type Operation } from '../host/operation.ts'
import { open } from './reading.ts'

const JSON_TYPE = 'application/json'
/** A height in a path: a count without leading zeros, below 2^53. */
const height = v.pipe(v.string(), v.regex(/^(0|[1-9]\d{0,14})$/), v.description('A height of the registry.'))

export const readRegistryBlocks = {
  ...open,
  id: 'readRegistryBlocks',
  pattern: '/v1/registry/blocks',
  does: 'Gives a page of the registry in order of height.',
  limits: ['maxPageBlocks'],
  query: {
    from: countParameter(0, Number.MAX_SAFE_INTEGER, 0),
    limit: countParameter(1, MAX_PAGE_BLOCKS, MAX_PAGE_BLOCKS),
  },
  answers: {
    200: {
      does: 'Blocks (ampere-registry+jws) from height `from` on; ask again from `next` until it is null.',
      type: JSON_TYPE,
      schema: blocksAnswer,
    },
  },
} as const satisfies Operation

export const readRecordProof = {
  ...open,
  id: 'readRecordProof',
  pattern: '/v1/registry/records/:key{.+}',
  does: 'Proves what the newest registry head says under one key: a record, or that there is none.',
  path: {
    key: v.pipe(
      v.string(),
      v.regex(
        /^(?:rules|membership|(?:institution|instance|deployment)\/[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?|key\/[A-Za-z0-9_-]{43})$/,
      ),
      v.description(
        '`rules`, `membership`, `institution/ID`, `instance/ID`, `deployment/ID` or `key/KID`; `/` or `%2F`.',
      ),
    ),
  },
  answers: { 200: { does: 'The proof.', type: JSON_TYPE, schema: recordProofAnswer } },
  problems: [...open.problems, 'NOT_FOUND'],
} as const satisfies Operation

export const readRecordProofAt = {
  ...open,
  id: 'readRecordProofAt',
  pattern: '/v1/registry/:height{[0-9]+}/records/:key{.+}',
  does: 'Proves what the registry said under one key at a height: a record, or that there was none. Never changes.',
  path: { height, key: readRecordProof.path.key },
  answers: {
    200: {
      does: 'The proof, and the registry block that names the root it leads to.',
      type: JSON_TYPE,
      schema: recordAnswer,
      headers: { 'Cache-Control': 'A year: what was true of a height stays so.' },
    },
  },
  problems: [...open.problems, 'NOT_FOUND'],
} as const satisfies Operation

export const addRegistryBlock = {
  ...open,
  id: 'addRegistryBlock',
  method: 'POST',
  pattern: '/v1/registry/blocks',
  does: 'Adds one signed block to the registry.',
  who: 'Whoever the rules of the registry let change this: a block and its approvals are their own credentials.',
  notes: 'Durable when answered. Safe to repeat: the same signing input again gets the same answer.',
  limits: ['maxRegistryBlockBytes', 'clockToleranceMs'],
  body: {
    does: 'One compact JWS (ampere-registry+jws) as ASCII.',
    type: 'application/jose',
    limit: 'maxRegistryBlockBytes',
  },
  answers: {
    201: { does: 'The id of the block.', type: JSON_TYPE, schema: registryAddedAnswer },
  },
  problems: [
    'REQUEST_MALFORMED',
    'ENCODING_MALFORMED',
    'JWS_MALFORMED',
    'BLOCK_MALFORMED',
    'KEY_MALFORMED',
    'SIGNATURE_INVALID',
    'VIOLATION',
    'LIMIT_EXCEEDED',
    'CLOCK_SKEW',
    'HEAD_CONFLICT',
    'TOO_LARGE',
    'UNSUPPORTED_MEDIA_TYPE',
    'STORE_FULL',
    ...READ_PROBLEMS,
  ],
} as const satisfies Operation

export const showRevocation = {
  ...open,
  id: 'showRevocation',
  method: 'POST',
  pattern: '/v1/registry/revocations',
  does: 'Shows this home that a key is revoked: it refuses the key from now on, wherever the home of the registry is.',
  who: 'Whoever has the statement: the signature of the institution whose key it is is its own credential.',
  notes:
    'Durable when answered. Safe to repeat: the first statement of a key stays. It is no block of the registry, which gets one of its own.',
  limits: ['maxRevocationBytes'],
  body: {
    does: 'One compact JWS (ampere-revocation+jws) as ASCII.',
    type: 'application/jose',
    limit: 'maxRevocationBytes',
  },
  answers: {
    201: {
      does: 'What is kept of it, and whether the registry has it.',
      type: JSON_TYPE,
      schema: shownAnswer,
    },
  },
  problems: [
    'REQUEST_MALFORMED',
    'ENCODING_MALFORMED',
    'JWS_MALFORMED',
    'BLOCK_MALFORMED',
    'SIGNATURE_INVALID',
    'VERIFICATION_FAILED',
    'TOO_LARGE',
    'UNSUPPORTED_MEDIA_TYPE',
    'STORE_FULL',
    ...READ_PROBLEMS,
  ],
} as const satisfies Operation

export const readRevocations = {
  ...open,
  id: 'readRevocations',
  pattern: '/v1/registry/revocations',
  does: 'Gives the revocations that were shown to this home, and which of them the registry owes.',
  limits: ['maxPageShown'],
  query: {
    after: v.optional(v.pipe(kid, v.description('The key id to go on behind.'))),
    limit: countParameter(1, MAX_PAGE_SHOWN, MAX_PAGE_SHOWN),
  },
  answers: {
    200: {
      does: 'A page in order of key ids; ask again with `after` until `next` is null.',
      type: JSON_TYPE,
      schema: shownPageAnswer,
    },
  },
} as const satisfies Operation
