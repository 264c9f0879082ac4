// SPDX-License-Identifier: Apache-2.0
import { appendAnswer, loggedAnswer, statementAnswer } from '#core/api/answers.ts'
import * as v from 'valibot'
import { jobAnswer } from '#core/api/large/job.ts'
import { APPEND_TYPE, appendHead } from '#core/api/append.ts'
import { ERASED_TYPE } from '#core/api/erased.ts'
import { chainId } from '#core/bytes/schema.ts'
import { READ_PROBLEMS, type Operation } from '../host/operation.ts'

export const appendBlock = {
  id: 'appendBlock',
  method: 'POST',
  pattern: '/v1/blocks',
  does: 'Appends one signed block with its sealed parts to its chain, or begins a chain with its genesis.',
  who: 'Whoever the rules of the chain let write this block: a block is its own credential. A genesis needs an app instance with capability create.',
  signed: false,
  notes:
    "Durable when answered. Safe to repeat: the same signing input again is 201 with the block as stored, so no Idempotency-Key is needed; `head` is then null if a later block is there: read the head, with a signed request. Beyond what the limits of a grant allow in a day the answer is LIMIT_EXCEEDED, with RateLimit headers. After HEAD_CONFLICT read the blocks since `prev`; one with your `kid` and `op` means that you succeeded. With `wait` the answer comes when the block is in the log and has its receipt; when that takes longer than the limit, or at once where too many wait already (8 about one chain and 256 in a process; 4 and 64 who sent a stored block again), it is 202 with a link to where the receipt will be: the block is as durable as with 201: `curl -i -H 'content-type: application/vnd.ampere.append' --data-binary @append.bin 'http://127.0.0.1:7310/v1/blocks?wait=witnessed'`. A stored block that is sent again needs no row, packages or object. With `upload` in the head no object follows: it was uploaded before (offerUpload), and is the author's, for this chain, and not appended yet; else the answer is NOT_FOUND, ALREADY_EXISTS, GONE (expired), PRECONDITION_FAILED (nothing is there yet) or BLOCK_REFUSED (other bytes).",
  limits: [
    'maxLogWaitMs',
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
  query: {
    wait: v.optional(
      v.pipe(
        v.picklist(['logged', 'witnessed']),
        v.description('Wait until the block is in the log, or until witnesses have cosigned that.'),
      ),
    ),
  },
  headers: {
    Prefer:
      '`respond-async` (RFC 7240), with `upload` and without `wait`: the block is judged, and a job appends it; it may be ignored.',
  },
  body: {
    does: 'uint32 length (big-endian), so many bytes of UTF-8 JSON, then the bytes of the sealed object up to the end.',
    type: APPEND_TYPE,
    limit: 'maxAppendBytes',
    json: appendHead,
  },
  answers: {
    201: {
      does: 'The block as stored, which replaces your own copy, and a head statement of it, null when this is a repetition and the block is no longer the newest.',
      type: 'application/json',
      schema: v.union([appendAnswer, loggedAnswer]),
    },
    202: {
      does: 'The block is stored, and was not in the log in time, or too many wait already. Or, where that was preferred, a job was begun that appends it (`Retry-After`, `Preference-Applied`).',
      type: 'application/json',
      schema: v.union([loggedAnswer, jobAnswer]),
      headers: {
        Location:
          'Where its receipt will be, for a signed request (`Authorization` as in `components.securitySchemes`, by who may read the chain). Without one send the same block again with `wait`: the answer is 201 with the receipt as soon as there is one. Of a job: where to ask how far it came (readJob).',
      },
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
    'CHAIN_MOVED',
    'HEAD_CONFLICT',
    'LIMIT_EXCEEDED',
    'NOT_FOUND',
    'ALREADY_EXISTS',
    'GONE',
    'PRECONDITION_FAILED',
    'TOO_LARGE',
    'UNSUPPORTED',
    'UNSUPPORTED_MEDIA_TYPE',
    'KEY_UNAVAILABLE',
    'STORE_FULL',
    ...READ_PROBLEMS,
  ],
} as const satisfies Operation

const statement = { type: 'application/json', schema: statementAnswer }

export const addErased = {
  id: 'addErased',
  method: 'POST',
  pattern: '/v1/chains/:chain/erased',
  does: 'Keeps the signed statement of a holder that its copy of what an erasure covers is gone.',
  who: 'An active app instance of an institution that has, or had since the oldest of the erased entries, a part in the chain: the statement is its own credential. To all others the chain does not exist.',
  signed: false,
  notes:
    'Durable when answered. A holder has one statement per erasure: the first stays, and later ones are answered with it, so sending again is safe.',
  limits: ['maxErasedBytes', 'clockToleranceMs'],
  path: { chain: chainId },
  query: {},
  body: {
    does: 'One compact JWS (ampere-erased+jws with the payload ErasedStatement) as ASCII.',
    type: ERASED_TYPE,
    limit: 'maxErasedBytes',
  },
  answers: {
    200: { does: 'The statement that was there already.', ...statement },
    201: { does: 'The statement as stored.', ...statement },
  },
  problems: [
    'REQUEST_MALFORMED',
    'ENCODING_MALFORMED',
    'JWS_MALFORMED',
    'UNAUTHORIZED',
    'SIGNATURE_INVALID',
    'FORBIDDEN',
    'NOT_FOUND',
    'CLOCK_SKEW',
    'VERIFICATION_FAILED',
    'TOO_LARGE',
    'UNSUPPORTED_MEDIA_TYPE',
    'STORE_FULL',
    ...READ_PROBLEMS,
  ],
} as const satisfies Operation
