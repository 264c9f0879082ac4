// SPDX-License-Identifier: Apache-2.0
import type { ContainerClient } from '@azure/storage-blob'
import { randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import { AmpereError } from '#core/errors.ts'
import { checkObjectName, type ByteRange, type ShredObjects } from '#core/ports/objects.ts'
import { codeOf, statusOf, translate } from './errors.ts'

/** Objects above this size are sent in blocks, each with a checksum of its own, so that no request is long. */
export const BLOCK_ABOVE_BYTES = 16 * 1024 * 1024
/** Bytes of one block; 50,000 are allowed. */
export const BLOCK_BYTES = 8 * 1024 * 1024
/** Blocks that are sent at once. */
const BLOCKS_AT_ONCE = 4

/**
 * Objects in a container of Blob Storage. The container has neither soft delete nor versions, so that what is shredded is
 * gone. The service checks a digest of what it is sent (clients/blob.ts); what it sends is checked by whoever reads it.
 */
export function azureObjects(container: () => Promise<ContainerClient>): ShredObjects {
  const blob = async (name: string) => (await container()).getBlockBlobClient(blobName(name))
  return {
    fetch: async (name, range) => {
      checkObjectName(name)
      return translate('blob', async () => download(await blob(name), range))
    },
    store: async (name, bytes) => {
      checkObjectName(name)
      const copy = Buffer.from(bytes)
      return translate('blob', async () => {
        const to = await blob(name)
        try {
          await (copy.length > BLOCK_ABOVE_BYTES ? uploadBlocks(to, copy) : upload(to, copy))
          return 'stored'
        } catch (error) {
          if (isTaken(error)) return 'exists'
          // Whoever was first has dropped the blocks of all others.
          if (codeOf(error) === 'InvalidBlockList' && (await to.exists())) return 'exists'
          throw error
        }
      })
    },
    shred: async (name) => {
      checkObjectName(name)
      await translate('blob', async () => {
        try {
          await (await blob(name)).delete({ deleteSnapshots: 'include' })
        } catch (error) {
          if (statusOf(error) === 404) return
          if (statusOf(error) === 409 && /Immutable/.test(codeOf(error)))
            throw new AmpereError('CONFIGURATION', 'a policy of the blob container forbids to remove objects')
          throw error
        }
      })
    },
  }
}

type Blob = ReturnType<ContainerClient['getBlockBlobClient']>

const IF_NEW = { conditions: { ifNoneMatch: '*' } } as const

async function upload(to: Blob, bytes: Buffer): Promise<void> {
  await to.upload(bytes, bytes.length, IF_NEW)
}

/** The last call names the blocks in order and so makes the blob: blocks that are not named then are dropped. */
async function uploadBlocks(to: Blob, bytes: Buffer): Promise<void> {
  // Of this attempt alone: two that run at once must not commit each other's blocks.
  const attempt = randomUUID()
  const ids: string[] = []
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES * BLOCKS_AT_ONCE) {
    const sending: Promise<unknown>[] = []
    for (let i = 0; i < BLOCKS_AT_ONCE && at + i * BLOCK_BYTES < bytes.length; i++) {
      const id = Buffer.from(`${attempt}-${String(ids.length).padStart(5, '0')}`).toString('base64')
      const block = bytes.subarray(at + i * BLOCK_BYTES, at + (i + 1) * BLOCK_BYTES)
      sending.push(to.stageBlock(id, block, block.length))
      ids.push(id)
    }
    await Promise.all(sending)
  }
  await to.commitBlockList(ids, IF_NEW)
}

async function download(from: Blob, range: ByteRange | undefined): Promise<Uint8Array | null> {
  const wanted = range ? Math.max(0, range.end - range.start) : 0
  try {
    // No request asks for no bytes: one is read, for whether the object is there.
    const answer = range ? await from.download(range.start, Math.max(1, wanted), NO_RETRY) : await whole(from)
    const bytes = await readAll(answer.readableStreamBody, answer.contentLength)
    return range ? bytes.subarray(0, wanted) : bytes
  } catch (error) {
    if (statusOf(error) === 404) return null
    // RFC 9110 section 15.5.17: the object ends before the range begins.
    if (statusOf(error) === 416) return new Uint8Array(0)
    throw error
  }
}

/** An answer that breaks off is asked for again by the caller, not from inside. */
const NO_RETRY = { maxRetryRequests: 0 } as const

function whole(from: Blob): ReturnType<Blob['download']> {
  return from.download(0, undefined, NO_RETRY)
}

async function readAll(
  body: NodeJS.ReadableStream | undefined,
  length: number | undefined,
): Promise<Uint8Array> {
  const parts: Buffer[] = []
  for await (const part of (body ?? []) as Readable) parts.push(part as Buffer)
  const bytes = Buffer.concat(parts)
  if (bytes.length !== length) throw new Error('an object ended early')
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function isTaken(error: unknown): boolean {
  const [status, code] = [statusOf(error), codeOf(error)]
  return status === 412 || (status === 409 && code === 'BlobAlreadyExists')
}

/** Segments of blob names may not end with a dot; no object name has a tilde. */
export function blobName(name: string): string {
  return name.replace(/\.(?=\/|$)/g, '.~')
}
