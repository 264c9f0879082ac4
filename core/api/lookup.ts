// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { count, digest, parseWith, timestamp } from '../bytes/schema.ts'
import { parseJws, signJws, verifyJws, type OpenedJws } from '../block/jws.ts'
import type { Verifiers } from '../crypto/signature.ts'
import { MAX_NAME_BYTES } from '../log/note/key.ts'
import type { PublicJwk, Signer } from '../ports/keys.ts'

/** Payload of `ampere-lookup+jws`. */
export const lookupStatement = v.strictObject({
  v: v.literal(1),
  /** Of the log that was asked about, c2sp.org/tlog-checkpoint. */
  origin: v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_NAME_BYTES)),
  /** Leaves of the tree that the monitor verified from its entries. */
  size: count,
  root: digest,
  label: digest,
  /** Where a leaf with the label is in that tree, or null: none is. */
  index: v.nullable(count),
  time: timestamp,
})

/** What a monitor says of a label in the log of another deployment; one that is wrong is evidence against it. */
export type LookupStatement = v.InferOutput<typeof lookupStatement>

/** Longest compact statement, in bytes. */
export const MAX_LOOKUP_BYTES = 8 * 1024

/** Proof that a label is where a statement says, which convinces without trusting whoever signed that. */
export const foundLeaf = v.strictObject({
  hash: v.pipe(digest, v.description('SHA-256 of the block in that leaf; the leaf is 0x01, label, hash.')),
  receipt: v.pipe(
    v.string(),
    v.description(
      'The tlog-proof of the leaf up to its checkpoint, the label as extra: c2sp.org/tlog-proof.',
    ),
  ),
})
export type FoundLeaf = v.InferOutput<typeof foundLeaf>

/** What a monitor may have against a log, docs/OPERATIONS.md says what each is worth. */
export const FINDING_KINDS = [
  'same-size',
  'fork',
  'duplicate-label',
  'leaf-form',
  'rollback',
  'root',
] as const
export type FindingKind = (typeof FINDING_KINDS)[number]

/** Answer to a lookup: the statement, and the checkpoint of its size and root with everybody's signatures. */
export const lookupAnswer = v.object({
  lookup: v.pipe(v.string(), v.description('Compact JWS, ampere-lookup+jws.')),
  checkpoint: v.pipe(
    v.string(),
    v.description('The checkpoint of this size and root as its log published it, with cosignatures.'),
  ),
  found: v.pipe(
    v.nullable(foundLeaf),
    v.description(
      'What shows that the label is at its index under that checkpoint; null where it is absent.',
    ),
  ),
  stopped: v.pipe(
    v.optional(v.nullable(v.picklist(FINDING_KINDS))),
    v.description(
      'What speaks against the log since the monitor looked last, which takes nothing newer while that stays; not signed.',
    ),
  ),
})
export type LookupAnswer = v.InferOutput<typeof lookupAnswer>

/** How far a monitor is with a log. */
export const monitoredAnswer = v.object({
  origin: v.string(),
  size: v.pipe(count, v.description('Leaves of the newest tree that was verified.')),
  checkpoint: v.pipe(v.nullable(v.string()), v.description('Its checkpoint; null before the first one.')),
  cosigned: v.pipe(
    v.nullable(count),
    v.description('Size of the newest verified checkpoint that has the quorum of this monitor, if any.'),
  ),
  pending: v.pipe(
    v.nullable(count),
    v.description('Size of a newer tree that is being copied and verified; null when there is none.'),
  ),
  stopped: v.pipe(
    v.nullable(v.picklist(FINDING_KINDS)),
    v.description('What this monitor stopped at when it looked last; null where it goes on.'),
  ),
  begun: v.pipe(
    v.nullable(timestamp),
    v.description('When it began anew, after what was found before; null where it never did.'),
  ),
  findings: v.pipe(
    v.array(
      v.object({
        kind: v.picklist(FINDING_KINDS),
        time: timestamp,
      }),
    ),
    v.description('What speaks against the log; the evidence itself is kept beside the store.'),
  ),
})
export type MonitoredAnswer = v.InferOutput<typeof monitoredAnswer>

/** What a monitor found, as it keeps it: all of it was signed by the log, or is in it for everybody. */
export const findingsAnswer = v.object({
  items: v.array(
    v.object({
      kind: v.picklist(FINDING_KINDS),
      time: timestamp,
      notes: v.pipe(
        v.array(v.string()),
        v.description('Signed notes; the one that was shown first is first.'),
      ),
      leaves: v.pipe(
        v.array(v.object({ index: count, entry: v.string(), proof: v.nullable(v.array(v.string())) })),
        v.description(
          'Log entries in the tree of the first note, with their inclusion proofs, in base64url.',
        ),
      ),
      hashes: v.pipe(
        v.array(v.string()),
        v.description('With `fork`: the consistency proof from the first note, in base64url.'),
      ),
    }),
  ),
  next: v.pipe(v.nullable(count), v.description('Where the next page begins; null behind the last one.')),
})
export type FindingsAnswer = v.InferOutput<typeof findingsAnswer>

/** Signs a statement as `ampere-lookup+jws`. */
export function signLookup(lookup: LookupStatement, signer: Signer): Promise<string> {
  return signJws('ampere-lookup+jws', lookup, signer)
}

/** @throws AmpereError JWS_MALFORMED, REQUEST_MALFORMED */
export function parseLookup(compact: string): { readonly jws: OpenedJws; readonly lookup: LookupStatement } {
  const jws = parseJws(compact, 'ampere-lookup+jws', MAX_LOOKUP_BYTES)
  return { jws, lookup: parseWith(lookupStatement, jws.payload, 'REQUEST_MALFORMED', 'lookup statement') }
}

/** Parses and verifies with the monitor's key. @throws AmpereError SIGNATURE_INVALID and those of `parseLookup` */
export async function openLookup(
  compact: string,
  key: PublicJwk,
  verifiers: Verifiers,
): Promise<LookupStatement> {
  const { jws, lookup } = parseLookup(compact)
  await verifyJws(jws, key, verifiers)
  return lookup
}
