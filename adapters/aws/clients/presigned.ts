// SPDX-License-Identifier: Apache-2.0
import { PutObjectCommand, type PutObjectCommandInput, type S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'

/** What a signed PUT is of, and for how long. */
export interface PutTerms {
  readonly bytes: number
  /** SHA-256 in base64, as S3 has it. */
  readonly checksum: string
  /** When it was signed, in seconds since 1970 UTC. */
  readonly signedSeconds: number
  /** For how many seconds it may begin. */
  readonly seconds: number
}

/** A PUT to where no object is, of these bytes and no others, for whoever has it. */
export interface SignedPut {
  readonly url: string
  /** Signed with it, beside Content-Length, but for the type. */
  readonly headers: Readonly<Record<string, string>>
}

const CHECKSUM = 'x-amz-checksum-sha256'

/**
 * Signs a PUT (Signature Version 4, query string). The checksum stays a header: in the query S3 would not compare it with the bytes.
 * S3 refuses `x-amz-*` headers that were not signed, so that nothing else can be asked with it.
 */
export async function presignPut(
  client: S3Client,
  place: Pick<PutObjectCommandInput, 'Bucket' | 'Key'>,
  { bytes, checksum, signedSeconds, seconds }: PutTerms,
): Promise<SignedPut> {
  const command = new PutObjectCommand({
    ...place,
    IfNoneMatch: '*',
    ChecksumSHA256: checksum,
    ContentLength: bytes,
  })
  const url = await getSignedUrl(client, command, {
    signingDate: new Date(signedSeconds * 1000),
    expiresIn: seconds,
    unhoistableHeaders: new Set([CHECKSUM]),
  })
  return {
    url,
    headers: { 'content-type': 'application/octet-stream', 'if-none-match': '*', [CHECKSUM]: checksum },
  }
}
