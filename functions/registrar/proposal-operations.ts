// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { proposalsAnswer, proposedAnswer } from '#core/api/answers.ts'
import { digest } from '#core/bytes/schema.ts'
import { READ_PROBLEMS, type Operation } from '../host/operation.ts'
import { open } from './reading.ts'

const JSON_TYPE = 'application/json'
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
