// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { toHex, utf8 } from '../bytes/encoding.ts'
import { count, timestamp } from '../bytes/schema.ts'
import { sha256 } from '../crypto/hash.ts'

/** Path below a home's origin where its log is served. */
export const LOG_PREFIX = '/log'

/** Name of a home's log, in checkpoints and of its keys: the URL of the log without its scheme (c2sp.org/tlog-checkpoint). */
export function logOriginOf(origin: string): string {
  return `${origin.replace(/^https?:\/\//, '')}${LOG_PREFIX}`
}

/** Path below a home's origin of its witness: both prefixes of c2sp.org/tlog-witness. */
export const WITNESS_PREFIX = '/witness'

/** Name of a home's witness, of both its keys: its URL without the scheme (c2sp.org/signed-note). */
export function witnessNameOf(origin: string): string {
  return `${origin.replace(/^https?:\/\//, '')}${WITNESS_PREFIX}`
}

/** Name of a log in paths and rows: lower-case hexadecimal SHA-256 of its origin, as in c2sp.org/tlog-witness. */
export function logIdOf(origin: string): string {
  return toHex(sha256(utf8(origin)))
}

/** What a witness has against a log, as it keeps it: both notes were signed by the log. */
export const contradictionsAnswer = v.object({
  items: v.array(
    v.object({
      kind: v.pipe(
        v.picklist(['same-size', 'unproved']),
        v.description('`same-size` convicts by itself; `unproved`, a proof that did not verify, is a lead.'),
      ),
      time: v.pipe(timestamp, v.description('When the second note came.')),
      cosigned: v.pipe(v.string(), v.description('The note that this witness cosigned.')),
      refused: v.pipe(v.string(), v.description('The note that came after it, and was refused.')),
    }),
  ),
  next: v.pipe(v.nullable(count), v.description('Where the next page begins; null behind the last one.')),
})
export type ContradictionsAnswer = v.InferOutput<typeof contradictionsAnswer>
