// SPDX-License-Identifier: Apache-2.0
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  type CompletedPart,
} from '@aws-sdk/client-s3'
import { callOf } from './calls.ts'
import { asking, clientConfig, NEXT_TO_CONNECTION, watching, type AwsConnection } from './connection.ts'
import type { PutTerms, SignedPut } from './presigned.ts'

/** An object's place. */
export interface ObjectPlace {
  readonly Bucket: string
  readonly Key: string
}

/** An upload in parts that was begun. */
export interface Upload extends ObjectPlace {
  readonly UploadId: string
}

/**
 * What objects use of S3. Bytes that are sent carry their SHA-256; `put` and `complete` write only where no object is. They
 * reject with AmpereError.
 */
export interface ObjectStore {
  /** Of `range` as in RFC 9110, for example `bytes=0-9`. */
  get(place: ObjectPlace, range: string | null): Promise<Uint8Array>
  head(place: ObjectPlace): Promise<void>
  put(place: ObjectPlace, bytes: Uint8Array): Promise<void>
  begin(place: ObjectPlace): Promise<Upload>
  part(upload: Upload, number: number, bytes: Uint8Array): Promise<CompletedPart>
  complete(upload: Upload, parts: readonly CompletedPart[]): Promise<void>
  abort(upload: Upload): Promise<void>
  remove(place: ObjectPlace): Promise<void>
  /** Asks S3 nothing; who watches is told of the request that it allows, because it is sent with the rights of this process. */
  signPut(place: ObjectPlace, terms: PutTerms): Promise<SignedPut>
  close(): void
}

const IF_ABSENT = { IfNoneMatch: '*' } as const
const CHECKED = { ChecksumAlgorithm: 'SHA256' } as const

export function openS3(connection: AwsConnection): ObjectStore {
  const { config, closeIdle } = clientConfig(connection, 's3')
  const client = new S3Client({
    ...config,
    forcePathStyle: connection.endpoint !== undefined,
    // Waiting for 100 Continue would take a connection of its own for each upload.
    expectContinueHeader: false,
    // A range comes without a checksum; whole objects ask for theirs.
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  client.middlewareStack.add(watching('s3', connection, closeIdle), NEXT_TO_CONNECTION)
  const ask = asking('s3', connection)
  return {
    get: (place, range) =>
      ask('GetObject', place, async () => {
        const how = range === null ? ({ ChecksumMode: 'ENABLED' } as const) : { Range: range }
        const { Body } = await client.send(new GetObjectCommand({ ...place, ...how }))
        return Body ? Body.transformToByteArray() : new Uint8Array(0)
      }),
    head: async (place) =>
      void (await ask('HeadObject', place, () => client.send(new HeadObjectCommand(place)))),
    put: async (place, bytes) => {
      const input = {
        ...place,
        ...IF_ABSENT,
        ...CHECKED,
        Body: bytes,
        ContentType: 'application/octet-stream',
      }
      await ask('PutObject', place, () => client.send(new PutObjectCommand(input)))
    },
    ...multipart(client, ask),
    remove: async (place) =>
      void (await ask('DeleteObject', place, () => client.send(new DeleteObjectCommand(place)))),
    signPut: (place, terms) =>
      ask('PutObject', place, async () => {
        // Only who signs uploads loads this.
        const { presignPut } = await import('./presigned.ts')
        connection.observe?.(callOf('s3', 'PutObject', place))
        return presignPut(client, place, terms)
      }),
    close: () => client.destroy(),
  }
}

function multipart(
  client: S3Client,
  ask: ReturnType<typeof asking>,
): Pick<ObjectStore, 'begin' | 'part' | 'complete' | 'abort'> {
  return {
    begin: async (place) => {
      const input = { ...place, ...CHECKED, ContentType: 'application/octet-stream' }
      const { UploadId = '' } = await ask('CreateMultipartUpload', place, () =>
        client.send(new CreateMultipartUploadCommand(input)),
      )
      return { ...place, UploadId }
    },
    part: async (upload, number, bytes) => {
      const input = { ...upload, ...CHECKED, PartNumber: number, Body: bytes }
      const { ETag, ChecksumSHA256 } = await ask('UploadPart', upload, () =>
        client.send(new UploadPartCommand(input)),
      )
      return { PartNumber: number, ETag, ChecksumSHA256 }
    },
    complete: async (upload, parts) => {
      const input = { ...upload, ...IF_ABSENT, MultipartUpload: { Parts: [...parts] } }
      await ask('CompleteMultipartUpload', upload, () =>
        client.send(new CompleteMultipartUploadCommand(input)),
      )
    },
    abort: async (upload) =>
      void (await ask('AbortMultipartUpload', upload, () =>
        client.send(new AbortMultipartUploadCommand(upload)),
      )),
  }
}
