// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { contradictionsAnswer, WITNESS_PREFIX } from '#core/api/log.ts'
import { SIZE_MEDIA_TYPE } from '#core/log/add-checkpoint.ts'
import { WITNESS_TEXT_TYPE } from '#core/server/witness/add-checkpoint.ts'
import { ANY_TYPE, countParameter, READ_PROBLEMS, type Operation } from '../host/operation.ts'

const log = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{64}$/),
  v.description('SHA-256 of the origin of the log, in lower-case hexadecimal.'),
)
const because = (does: string) => ({ does, type: WITNESS_TEXT_TYPE })

export const addCheckpoint = {
  id: 'addCheckpoint',
  method: 'POST',
  pattern: `${WITNESS_PREFIX}/add-checkpoint`,
  does: 'Cosigns a checkpoint of a log that this witness knows (c2sp.org/tlog-witness).',
  who: 'Anybody: the signature of the log is what counts.',
  signed: false,
  notes:
    'The checkpoint is durable before it is answered, and from then on no tree that does not continue it is cosigned. The same size and root may be sent again, without a proof, to have it cosigned anew. Checkpoints that contradict what was cosigned are kept as evidence. 409 tells the size that was cosigned last; `old 0` asks for it.',
  limits: ['maxAddCheckpointBytes'],
  path: {},
  query: {},
  body: {
    does: '`old`, a space and the size that was cosigned last; the consistency proof, a hash in base64 on each line; an empty line; the checkpoint with the signatures of its log.',
    type: ANY_TYPE,
    limit: 'maxAddCheckpointBytes',
  },
  answers: {
    200: because('Cosignature lines by both keys of the witness, Ed25519 and ML-DSA-44, with one time.'),
  },
  refusals: {
    400: because('The request is not well-formed, or the old size is larger than that of the checkpoint.'),
    403: because('No known key of the log signed, or a signature with its name and key ID does not verify.'),
    404: because('No log of that origin is known here.'),
    409: { does: 'The old size is not this one, which was cosigned last.', type: SIZE_MEDIA_TYPE },
    422: because('The checkpoint does not continue what was cosigned, or the proof does not show it.'),
  },
  problems: [
    'REQUEST_MALFORMED',
    'UNSUPPORTED_MEDIA_TYPE',
    'TOO_LARGE',
    ...READ_PROBLEMS,
    'STORE_FULL',
    'KEY_UNAVAILABLE',
  ],
} as const satisfies Operation

export const readCosigned = {
  id: 'readCosigned',
  method: 'GET',
  pattern: `${WITNESS_PREFIX}/:log/checkpoint`,
  does: 'Gives the newest checkpoint of a log that this witness cosigned, with the signatures of both.',
  who: 'Anybody.',
  signed: false,
  notes: 'It stays when the log is not known here any more.',
  limits: [],
  path: { log },
  query: {},
  body: null,
  answers: {
    200: {
      does: 'The signed note.',
      type: WITNESS_TEXT_TYPE,
      headers: { 'Cache-Control': 'One second.' },
    },
  },
  problems: ['REQUEST_MALFORMED', 'NOT_FOUND', ...READ_PROBLEMS],
} as const satisfies Operation

export const listContradictions = {
  id: 'listContradictions',
  method: 'GET',
  pattern: `${WITNESS_PREFIX}/:log/contradictions`,
  does: 'Gives a page of what this witness has against a log that it cosigns, or cosigned.',
  who: 'Anybody.',
  signed: false,
  notes:
    'Both notes were signed by the log. Whoever has its keys makes evidence of two roots of one size that convinces without trust in this witness.',
  limits: [],
  path: { log },
  query: { from: countParameter(0, Number.MAX_SAFE_INTEGER, 0) },
  body: null,
  answers: {
    200: { does: 'What was found, by kind.', type: 'application/json', schema: contradictionsAnswer },
  },
  problems: ['REQUEST_MALFORMED', 'NOT_FOUND', ...READ_PROBLEMS],
} as const satisfies Operation
