// SPDX-License-Identifier: Apache-2.0
import { appendAnswer } from '#core/api/answers.ts'
import { APPEND_TYPE, appendHead } from '#core/api/append.ts'
import { READ_PROBLEMS, type Operation } from '../host/operation.ts'

export const appendBlock = {
  id: 'appendBlock',
  method: 'POST',
  pattern: '/v1/blocks',
  does: 'Appends one signed block with its sealed parts to its chain, or begins a chain with its genesis.',
  who: 'Whoever the rules of the chain let write this block: a block is its own credential. A genesis needs an app instance with capability create.',
  signed: false,
  notes:
    'Durable when answered. Safe to repeat: the same signing input again gets the same answer, so no Idempotency-Key is needed. After HEAD_CONFLICT read the blocks since `prev`; one with your `kid` and `op` means that you succeeded.',
  limits: [
    'maxAppendBytes',
    'maxEntriesPerBlock',
    'maxObjectBytes',
    'maxStatementBytes',
    'maxPackages',
    'maxCompartments',
    'maxControllers',
    'maxGrants',
    'maxPendingSteps',
    'clockToleranceMs',
    'registryFreshnessMs',
  ],
  path: {},
  query: {},
  body: {
    does: 'uint32 length (big-endian), so many bytes of UTF-8 JSON, then the bytes of the sealed object up to the end.',
    type: APPEND_TYPE,
    limit: 'maxAppendBytes',
    json: appendHead,
  },
  answers: {
    201: {
      does: 'The block as stored, which replaces your own copy, and a head statement.',
      type: 'application/json',
      schema: appendAnswer,
    },
  },
  problems: [
    'REQUEST_MALFORMED',
    'ENCODING_MALFORMED',
    'JWS_MALFORMED',
    'BLOCK_MALFORMED',
    'KEY_MALFORMED',
    'SIGNATURE_INVALID',
    'VIOLATION',
    'BLOCK_REFUSED',
    'CLOCK_SKEW',
    'REGISTRY_STALE',
    'HEAD_CONFLICT',
    'NOT_FOUND',
    'TOO_LARGE',
    'UNSUPPORTED',
    'UNSUPPORTED_MEDIA_TYPE',
    'KEY_UNAVAILABLE',
    'STORE_FULL',
    ...READ_PROBLEMS,
  ],
} as const satisfies Operation
