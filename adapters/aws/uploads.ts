// SPDX-License-Identifier: Apache-2.0
import type { Now } from '#core/ports/keys.ts'
import { checkUpload, type Uploads } from '#core/ports/uploads.ts'
import type { ObjectStore } from './clients/s3.ts'

/**
 * Largest upload: what a function of 1,024 MB appends, which holds the object more than twice while it reads, checks and stores
 * it. S3 itself takes 5 GiB in one request.
 */
export const AWS_UPLOAD_BYTES = 64 * 1024 * 1024
/** Longest that S3 takes a signature for (Signature Version 4, X-Amz-Expires). */
const MAX_EXPIRY_SECONDS = 7 * 24 * 3600

/**
 * Uploads into a bucket by URLs that this process signs with its own credentials, and which end with them. S3 refuses other lengths
 * and other hashes, and writes nothing over what is there: all three headers are signed.
 * @param bucket asked when an upload is offered: roles that only say how much fits have no bucket
 */
export function awsUploads(open: () => Promise<ObjectStore>, bucket: () => string, now: Now): Uploads {
  return {
    maxBytes: AWS_UPLOAD_BYTES,
    offer: async (name, terms) => {
      checkUpload(name, terms, AWS_UPLOAD_BYTES)
      const { bytes, sha256, expiresMs } = terms
      // A signature is of whole seconds, and so is its date.
      const signedSeconds = Math.floor(now() / 1000)
      const seconds = Math.floor(expiresMs / 1000) - signedSeconds
      if (!(seconds >= 1 && seconds <= MAX_EXPIRY_SECONDS))
        throw new RangeError(`an upload expires within 1 to ${MAX_EXPIRY_SECONDS} seconds`)
      const checksum = Buffer.from(sha256, 'base64url').toString('base64')
      const signed = { bytes, checksum, signedSeconds, seconds }
      const { url, headers } = await (await open()).signPut({ Bucket: bucket(), Key: name }, signed)
      return { method: 'PUT', url, headers }
    },
    admit: async () => null,
  }
}
