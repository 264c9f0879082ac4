// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { MAX_JWS_BYTES } from '../block/jws.ts'
import { bytesOf, chainId, count, digest, kid, timestamp } from '../bytes/schema.ts'
import { packageSchema } from './append.ts'

/** A signed statement as it travels. */
export const compactJws = v.pipe(
  v.string(),
  v.maxLength(MAX_JWS_BYTES),
  v.metadata({ contentMediaType: 'application/jose', description: 'Compact JWS (RFC 7515).' }),
)

/** Answer to an append: the block as stored, which the client keeps instead of its own, and the head after it. */
export const appendAnswer = v.object({
  block: compactJws,
  /** Of this very block, while it is the newest; a newer one is not told to who only sends an old block again. */
  head: v.nullable(compactJws),
})
/** Answer to an append that waited for the log: also the block's receipt, null when it was not there in time. */
export const loggedAnswer = v.object({
  ...appendAnswer.entries,
  receipt: v.nullable(v.pipe(v.string(), v.description('A tlog-proof (c2sp.org/tlog-proof).'))),
})
/** Answer to a read of the head. */
export const headAnswer = v.object({ head: compactJws, block: compactJws })
/** A page of compact JWS in order of height; `next` is the height to go on from, or null at the end. */
export const blocksAnswer = v.object({ items: v.array(compactJws), next: v.nullable(count) })
/** A page of the packages that a reader may fetch: its own and the histories; `next` is a cursor. */
export const packagesAnswer = v.object({
  items: v.array(packageSchema),
  next: v.optional(v.nullable(v.string()), null),
})
/** A page of the chains that an institution may hold; `height` is that of the newest block, `next` a chain to go on from. */
export const heldAnswer = v.object({
  items: v.array(v.object({ chain: chainId, height: count })),
  next: v.nullable(chainId),
})
/** What a block brought beside its entries, sealed for whoever it names. */
export const blockKeysAnswer = v.object({
  packages: v.array(packageSchema),
  labelKey: v.pipe(
    v.nullable(bytesOf(32)),
    v.description('The key that labels its blocks in the log; null where the block brought none.'),
  ),
})
/** A page of checkpoints in order of size; `next` is a size to go on from. */
export const notesAnswer = v.object({
  items: v.array(v.pipe(v.string(), v.description('A signed note (c2sp.org/signed-note).'))),
  next: v.nullable(count),
})
/** A page of the receipts that are kept of the logs of homes that a chain left, in order of height; `next` is a height to go on from. */
export const movedAnswer = v.object({
  items: v.array(
    v.object({
      height: count,
      level: v.pipe(
        v.picklist(['logged', 'witnessed']),
        v.description('`witnessed` where it had the quorum of the policy of that home.'),
      ),
      proof: v.pipe(v.string(), v.description('A tlog-proof (c2sp.org/tlog-proof) of the log of that home.')),
    }),
  ),
  next: v.nullable(count),
})
/** Signed statements that an erasure was carried out, of the home and of other holders; `next` is a cursor. */
export const erasedAnswer = v.object({
  items: v.array(compactJws),
  next: v.optional(v.nullable(v.string()), null),
})
/** The statement that stands for a holder and an erasure. */
export const statementAnswer = v.object({ statement: compactJws })
/** What the registry says of one record at one height: verify `block`, then the proof against its `state`. */
export const recordAnswer = v.object({
  head: v.object({ height: v.number(), id: v.string() }),
  block: compactJws,
  proof: v.object({ bucket: v.string(), hashes: v.array(v.string()) }),
})
export const registryHeadAnswer = v.object({ height: v.number(), id: v.string(), block: compactJws })
/** Answer to a registry block: its id, also when it was there already. */
export const registryAddedAnswer = v.object({ id: digest })
/** A page of open proposals with the approvals that were given; `next` is an action to go on from. */
export const proposalsAnswer = v.object({
  items: v.array(v.object({ action: digest, proposal: compactJws, approvals: v.array(compactJws) })),
  next: v.nullable(digest),
})
/** Answer to a proposal, an approval or a withdrawal: the action that it is about. */
export const proposedAnswer = v.object({ action: digest })
/** A revocation that was shown to a home. */
const shownRevocation = v.object({
  statement: v.pipe(compactJws, v.description('What was shown, as it was signed.')),
  at: v.pipe(timestamp, v.description('When it was shown, by the clock of this home.')),
  height: v.pipe(
    v.nullable(count),
    v.description(
      'The height of the registry that revokes the key, as far as this home has it; null for none.',
    ),
  ),
  isOverdue: v.pipe(
    v.boolean(),
    v.description('It was shown longer than 60 s ago, and the registry does not have it.'),
  ),
})
/** A revocation that is honoured from now on. */
export const shownAnswer = shownRevocation
/** The revocations that were shown to a home, in order of key ids; `next` is the key id to go on behind. */
export const shownPageAnswer = v.object({
  items: v.array(shownRevocation),
  overdue: v.pipe(count, v.description('How many of all of them are overdue.')),
  next: v.nullable(kid),
})
/** Proof of what the registry says under one key: the record, or that there is none. */
export const recordProofAnswer = v.object({
  head: v.object({ height: count, id: digest }),
  proof: v.object({
    bucket: v.pipe(v.string(), v.description('Canonical JSON of the bucket that the key falls in.')),
    hashes: v.pipe(
      v.array(digest),
      v.length(12),
      v.description('Sibling hashes from the bucket up to the state of the registry block.'),
    ),
  }),
})
/** What an audit found: nothing is wrong only if `findings` and `unfinished` are empty and `next` is null. */
export const auditAnswer = v.object({
  chains: count,
  blocks: count,
  entries: count,
  erased: v.pipe(count, v.description('Entries whose keys an erasure destroyed.')),
  findings: v.array(
    v.object({
      chain: chainId,
      height: count,
      status: v.picklist(['tampered', 'missing']),
      rule: v.string(),
      detail: v.string(),
    }),
  ),
  flags: v.pipe(
    v.array(
      v.object({
        chain: chainId,
        height: v.nullable(count),
        flag: v.picklist(['diverged', 'rotation-due', 'erasure-waits', 'unreferenced', 'not-verified']),
        detail: v.string(),
        since: v.nullable(timestamp),
      }),
    ),
    v.description('What waits, is due or is unreferenced: no damage.'),
  ),
  unfinished: v.pipe(
    v.array(chainId),
    v.description('Chains that take longer than one request may; nothing is said of them.'),
  ),
  next: v.pipe(
    v.nullable(chainId),
    v.description('The chain to go on from; null when every chain was audited.'),
  ),
})
/** What an audit of the log found: nothing is wrong only if `findings` is empty. */
export const logAuditAnswer = v.object({
  size: v.pipe(count, v.description('Leaves of the tree that was audited; 0 while there is none.')),
  from: v.pipe(count, v.description('The first leaf that was audited.')),
  blocks: v.pipe(count, v.description('Blocks that were compared with their leaves.')),
  findings: v.array(
    v.object({
      where: v.pipe(
        v.string(),
        v.description('A path below the log, a row, a leaf, or a block as chain/height.'),
      ),
      status: v.picklist(['tampered', 'missing']),
      rule: v.string(),
      detail: v.string(),
    }),
  ),
  unlisted: v.pipe(count, v.description('Findings beyond those that are listed.')),
  earlier: v.pipe(
    count,
    v.description(
      'Kept checkpoints without the quorum of the present policy: of an earlier one. No findings; receipts are made with others.',
    ),
  ),
  leaves: v.pipe(
    count,
    v.description('Leaves that the tree was built from so far: `size` and more once blocks are compared.'),
  ),
  next: v.pipe(
    v.nullable(v.string()),
    v.description(
      'With what to ask again as `from`; null once everything was audited. Until then findings are those so far.',
    ),
  ),
})
/** A problem document, RFC 9457. */
export const problemAnswer = v.object({
  type: v.string(),
  title: v.string(),
  status: v.number(),
  code: v.pipe(v.string(), v.description('What to branch on. Codes are added, never renamed.')),
  detail: v.pipe(v.string(), v.description('For people. Never repeats what was sent.')),
  retryable: v.pipe(v.boolean(), v.description('True when the same request may succeed later.')),
  requestId: v.pipe(v.string(), v.description('Finds the request in the log of the home.')),
})

export type AppendAnswer = v.InferOutput<typeof appendAnswer>
export type HeadAnswer = v.InferOutput<typeof headAnswer>
export type BlocksAnswer = v.InferOutput<typeof blocksAnswer>
export type ShownAnswer = v.InferOutput<typeof shownAnswer>
export type ShownPageAnswer = v.InferOutput<typeof shownPageAnswer>
export type PackagesAnswer = v.InferOutput<typeof packagesAnswer>
export type HeldAnswer = v.InferOutput<typeof heldAnswer>
export type BlockKeysAnswer = v.InferOutput<typeof blockKeysAnswer>
export type NotesAnswer = v.InferOutput<typeof notesAnswer>
export type MovedAnswer = v.InferOutput<typeof movedAnswer>
export type StatementAnswer = v.InferOutput<typeof statementAnswer>
export type ErasedAnswer = v.InferOutput<typeof erasedAnswer>
export type RecordAnswer = v.InferOutput<typeof recordAnswer>
export type AuditAnswer = v.InferOutput<typeof auditAnswer>
export type LogAuditAnswer = v.InferOutput<typeof logAuditAnswer>
export type ProblemAnswer = v.InferOutput<typeof problemAnswer>
export type ProposalsAnswer = v.InferOutput<typeof proposalsAnswer>

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
