// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { digest, timestamp } from '../bytes/schema.ts'
import { compactJws } from './answers.ts'

/** How a request to be enrolled stands. */
export const enrolmentAnswer = v.object({
  id: digest,
  state: v.picklist(['waiting', 'approved', 'refused', 'expired']),
  expires: v.pipe(v.nullable(timestamp), v.description('When it expires or did; null once it is answered.')),
  answer: v.pipe(
    v.nullable(compactJws),
    v.description('What the institution answered, by its root key (ampere-enrolment-answer+jws).'),
  ),
  standing: v.pipe(
    v.nullable(v.picklist(['active', 'suspended', 'revoked', 'expired', 'renewed'])),
    v.description('Once approved: what has become of the key since.'),
  ),
})
export type EnrolmentState = v.InferOutput<typeof enrolmentAnswer>

/** A page of requests; `next` is a place to go on from. */
export const enrolmentsAnswer = v.object({
  items: v.array(v.object({ request: compactJws, state: enrolmentAnswer.entries.state })),
  next: v.nullable(v.string()),
})
export type EnrolmentsPage = v.InferOutput<typeof enrolmentsAnswer>
