// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { jobAnswer } from '#core/api/large/job.ts'
import { chainId, digest } from '#core/bytes/schema.ts'
import { READ_PROBLEMS, SIGNED_PROBLEMS, type Operation } from '../host/operation.ts'

const job = { type: 'application/json', schema: jobAnswer }

export const readJob = {
  id: 'readJob',
  method: 'GET',
  pattern: '/v1/jobs/:id',
  does: 'Tells how far a job came that a request with `Prefer: respond-async` (RFC 7240) began, and takes it on.',
  who: 'The institution or device that asked for it; for audits an instance with capability control. To all others it does not exist.',
  signed: true,
  notes:
    'Ask again, after `Retry-After` seconds, until the answer is 200: each time the job is taken on for as long as `maxJobSliceMs`, unless somebody is at it. A home takes jobs on by itself as well. A job that was interrupted goes on where it was, when the lease of whoever was at it is over (60 s). It is given up, and what came of it is forgotten, after `jobLifeMs`. An append keeps the time at which it was taken on for ten minutes: after that its block is refused if its own time is too far.',
  limits: ['maxJobSliceMs', 'jobLifeMs', 'maxJobs', 'requestToleranceMs'],
  path: { id: v.pipe(digest, v.description('From Location.')) },
  query: {
    chain: v.optional(
      v.pipe(
        chainId,
        v.description('From Location: the chain that it is about, for the keys of its devices.'),
      ),
    ),
  },
  body: null,
  answers: {
    200: { does: 'It is over: there is a result, or a problem.', ...job },
    202: {
      does: 'It goes on.',
      ...job,
      headers: { 'Retry-After': 'Seconds after which to ask again.' },
    },
  },
  problems: ['REQUEST_MALFORMED', 'NOT_FOUND', ...SIGNED_PROBLEMS, ...READ_PROBLEMS],
} as const satisfies Operation
