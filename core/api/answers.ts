// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { packageSchema } from './append.ts'

const compactJws = v.pipe(v.string(), v.maxLength(128 * 1024))

/** Answer to an append: the block as stored, which the client keeps instead of its own, and the head after it. */
export const appendAnswer = v.object({ block: compactJws, head: compactJws })
/** Answer to a read of the head. */
export const headAnswer = v.object({ head: compactJws, block: compactJws })
/** A page of compact JWS in order of height; `next` is the height to go on from, or null at the end. */
export const blocksAnswer = v.object({ items: v.array(compactJws), next: v.nullable(v.number()) })
/** The packages that a reader may fetch: its own and the histories. */
export const packagesAnswer = v.object({ items: v.array(packageSchema) })
/** Signed statements that an erasure was carried out, of the home and of other holders; `next` is a cursor. */
export const erasedAnswer = v.object({
  items: v.array(compactJws),
  next: v.optional(v.nullable(v.string()), null),
})
/** The statement that stands for a holder and an erasure. */
export const statementAnswer = v.object({ statement: compactJws })
/** Chains that the asking institution has a part in. */
export const chainsAnswer = v.object({ items: v.array(v.string()), next: v.nullable(v.string()) })
/** What the registry says of one record at one height: verify `block`, then the proof against its `state`. */
export const recordAnswer = v.object({
  head: v.object({ height: v.number(), id: v.string() }),
  block: compactJws,
  proof: v.object({ bucket: v.string(), hashes: v.array(v.string()) }),
})
export const registryHeadAnswer = v.object({ height: v.number(), id: v.string(), block: compactJws })
/** A problem document, RFC 9457. */
export const problemAnswer = v.object({
  type: v.string(),
  title: v.string(),
  status: v.number(),
  code: v.string(),
  detail: v.string(),
  retryable: v.boolean(),
  requestId: v.string(),
})

export type AppendAnswer = v.InferOutput<typeof appendAnswer>
export type HeadAnswer = v.InferOutput<typeof headAnswer>
export type BlocksAnswer = v.InferOutput<typeof blocksAnswer>
export type PackagesAnswer = v.InferOutput<typeof packagesAnswer>
export type StatementAnswer = v.InferOutput<typeof statementAnswer>
export type ErasedAnswer = v.InferOutput<typeof erasedAnswer>
export type RecordAnswer = v.InferOutput<typeof recordAnswer>
export type ChainsAnswer = v.InferOutput<typeof chainsAnswer>
