// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { bytesOf, chainId, count, digest, timestamp } from '../../bytes/schema.ts'

/** Above so many bytes of a request a client uploads the object first; gateways of functions take 6 MB, answers too. */
export const DIRECT_BYTES = 4 * 1024 * 1024
/** Largest range of an object that every home answers whole, in bytes. */
export const MAX_RANGE_BYTES = 4 * 1024 * 1024
/** Uploads of one institution or device that may be open at a time. */
export const MAX_UPLOADS = 64
/** Bytes of all of them together. */
export const MAX_UPLOADED_BYTES = 1024 * 1024 * 1024
/** For how long an upload may begin after it was offered, in milliseconds: a quarter of an hour. */
export const UPLOAD_URL_MS = 15 * 60_000
/** For how long it may be appended after it was offered, in milliseconds: an hour. */
export const UPLOAD_LIFE_MS = 60 * 60_000

/** Content type of what is asked for an upload. */
export const UPLOAD_TYPE = 'application/json'
/** Largest request for an upload in bytes. */
export const MAX_UPLOAD_REQUEST_BYTES = 1024

/** Id of an upload, 16 random bytes. */
export const uploadId = bytesOf(16)

/** What is to be uploaded: the sealed object of one block of this chain. */
export const uploadRequest = v.strictObject({
  chain: chainId,
  /** Exact length of the object. */
  bytes: v.pipe(count, v.minValue(1)),
  /** SHA-256 of all its bytes. */
  sha256: digest,
})
export type UploadRequest = v.InferOutput<typeof uploadRequest>

/** Where it is to be put, and under which id the append names it. */
export const uploadAnswer = v.object({
  upload: uploadId,
  method: v.literal('PUT'),
  url: v.pipe(
    v.string(),
    // A URL of S3 holds the session token of the role that signed it, some thousand characters.
    v.maxLength(8192),
    v.description('Absolute. Whoever has it can put these bytes there.'),
  ),
  headers: v.pipe(v.record(v.string(), v.string()), v.description('To be sent as they are.')),
  expires: v.pipe(timestamp, v.description('Until when the PUT may begin.')),
  appendBefore: v.pipe(timestamp, v.description('Until when the append may name it.')),
})
export type UploadAnswer = v.InferOutput<typeof uploadAnswer>

/** The bytes are where they belong. */
export const uploadedAnswer = v.object({ upload: uploadId, bytes: count })

/** What fits through here, which depends on what a home runs behind. */
export const bodiesAnswer = v.object({
  maxRequestBytes: v.pipe(count, v.description('bytes of one request')),
  maxAnswerBytes: v.pipe(
    v.nullable(count),
    v.description('bytes of one answer with an object, of which ranges are given then; null: any'),
  ),
  maxUploadBytes: v.pipe(
    v.nullable(count),
    v.description(
      'bytes of one object that is uploaded before it is appended; null: there are no uploads here',
    ),
  ),
})
export type BodiesAnswer = v.InferOutput<typeof bodiesAnswer>
