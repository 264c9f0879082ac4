// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import {
  blocksAnswer,
  proposalsAnswer,
  proposedAnswer,
  recordAnswer,
  recordProofAnswer,
  registryAddedAnswer,
} from '#core/api/answers.ts'
import { MAX_PAGE_BLOCKS } from '#core/api/limits.ts'
import { digest } from '#core/bytes/schema.ts'
import { countParameter, READ_PROBLEMS, type Operation } from '../host/operation.ts'

const JSON_TYPE = 'application/json'
/** A height in a path: a count without leading zeros, below 2^53. */
const height = v.pipe(v.string(), v.regex(/^(0|[1-9]\d{0,14})$/), v.description('A height of the registry.'))

const open = {
  method: 'GET',
  who: 'Anybody: the registry names institutions, software and keys, never a patient.',
  signed: false,
  limits: [],
  path: {},
  query: {},
  body: null,
  problems: ['REQUEST_MALFORMED', ...READ_PROBLEMS],
} as const

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
        /^(?:rules|(?:institution|instance|deployment)\/[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?|key\/[A-Za-z0-9_-]{43})$/,
      ),
      v.description('`rules`, `institution/ID`, `instance/ID`, `deployment/ID` or `key/KID`; `/` or `%2F`.'),
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
    'CLOCK_SKEW',
    'HEAD_CONFLICT',
    'TOO_LARGE',
    'UNSUPPORTED_MEDIA_TYPE',
    'STORE_FULL',
    ...READ_PROBLEMS,
  ],
} as const satisfies Operation

const handedIn = {
  ...open,
  method: 'POST',
  who: 'Members of the registry: what is handed in is signed by a root key, and is its own credential.',
  notes: 'Durable when answered. Safe to repeat: the same statement again gets the same answer.',
  problems: [
    'REQUEST_MALFORMED',
    'ENCODING_MALFORMED',
    'JWS_MALFORMED',
    'KEY_MALFORMED',
    'SIGNATURE_INVALID',
    'VIOLATION',
    'CHAIN_MOVED',
    'TOO_LARGE',
    'UNSUPPORTED_MEDIA_TYPE',
    'STORE_FULL',
    ...READ_PROBLEMS,
  ],
} as const
const action = v.pipe(
  digest,
  v.description('Digest of the canonical `{type: "change", body: {changes}}` that is proposed.'),
)
const proposed = { does: 'The action.', type: JSON_TYPE, schema: proposedAnswer } as const

export const readProposals = {
  ...open,
  id: 'readProposals',
  pattern: '/v1/registry/proposals',
  does: 'Gives a page of the open proposals for the registry, with the approvals that members gave, in order of action.',
  limits: ['maxPageProposals'],
  query: {
    from: v.pipe(
      v.optional(v.union([digest, v.literal('')]), ''),
      v.description('An action: the first of the page.'),
    ),
  },
  answers: {
    200: {
      does: 'Statements as they were signed, to be verified; ask again from `next` until it is null.',
      type: JSON_TYPE,
      schema: proposalsAnswer,
    },
  },
  problems: [...open.problems, 'NOT_FOUND', 'CHAIN_MOVED'],
} as const satisfies Operation

export const addProposal = {
  ...handedIn,
  id: 'addProposal',
  pattern: '/v1/registry/proposals',
  does: 'Takes a proposal to change members or rules.',
  limits: ['maxProposalBytes', 'maxOpenProposals'],
  body: {
    does: 'One compact JWS (ampere-registry-proposal+jws) as ASCII.',
    type: 'application/jose',
    limit: 'maxProposalBytes',
  },
  answers: { 201: proposed },
  problems: [...handedIn.problems, 'RECORD_MALFORMED', 'NOT_FOUND', 'ALREADY_EXISTS', 'LIMIT_EXCEEDED'],
} as const satisfies Operation

export const approveProposal = {
  ...handedIn,
  id: 'approveProposal',
  pattern: '/v1/registry/proposals/:action/approvals',
  does: "Takes a member's approval of an open proposal.",
  limits: ['maxApprovalBytes'],
  path: { action },
  body: {
    does: 'One compact JWS (ampere-registry-approval+jws) as ASCII.',
    type: 'application/jose',
    limit: 'maxApprovalBytes',
  },
  answers: { 201: proposed },
  problems: [...handedIn.problems, 'BLOCK_MALFORMED', 'NOT_FOUND', 'ALREADY_EXISTS'],
} as const satisfies Operation

export const withdrawProposal = {
  ...handedIn,
  id: 'withdrawProposal',
  pattern: '/v1/registry/proposals/:action/withdrawal',
  does: 'Takes a proposal back. Approvals that were given stay what they are.',
  limits: ['maxApprovalBytes'],
  path: { action },
  body: {
    does: 'One compact JWS (ampere-registry-withdrawal+jws) as ASCII, by the institution that proposed.',
    type: 'application/jose',
    limit: 'maxApprovalBytes',
  },
  answers: { 201: proposed },
  problems: [...handedIn.problems, 'RECORD_MALFORMED', 'NOT_FOUND', 'FORBIDDEN'],
} as const satisfies Operation
