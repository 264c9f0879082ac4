// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '#core/errors.ts'
import { checkObjectName, type ByteRange, type ShredObjects } from '#core/ports/objects.ts'
import type { ObjectPlace, ObjectStore } from './clients/s3.ts'
import { isAnswer } from './errors.ts'

/** Objects above this size are uploaded in parts of it. */
export const PART_BYTES = 16 * 1024 * 1024
/** Parts that are on their way at once. */
const PARTS_AT_ONCE = 4
/** How often a store is tried that meets another write of the same name. */
const MAX_TRIES = 3

/** A bucket without versions, in which nothing is ever overwritten. */
export function awsObjects(open: () => Promise<ObjectStore>, bucket: string): ShredObjects {
  return {
    fetch: async (name, range) => {
      checkObjectName(name)
      return fetchRange(await open(), { Bucket: bucket, Key: name }, range ?? null)
    },
    store: async (name, bytes) => {
      checkObjectName(name)
      // Before anything is awaited: the buffer is the caller's again.
      const copy = new Uint8Array(bytes)
      return storeOnce(await open(), { Bucket: bucket, Key: name }, copy)
    },
    shred: async (name) => {
      checkObjectName(name)
      await (await open()).remove({ Bucket: bucket, Key: name })
    },
  }
}

async function fetchRange(
  s3: ObjectStore,
  place: ObjectPlace,
  range: ByteRange | null,
): Promise<Uint8Array | null> {
  // HTTP has no range of no bytes.
  if (range && range.end <= range.start) return (await isThere(s3, place)) ? new Uint8Array(0) : null
  try {
    return await s3.get(place, range && `bytes=${range.start}-${range.end - 1}`)
  } catch (error) {
    if (isAnswer(error, 'NoSuchKey')) return null
    if (isAnswer(error, 'InvalidRange', 416)) return new Uint8Array(0)
    throw error
  }
}

async function isThere(s3: ObjectStore, place: ObjectPlace): Promise<boolean> {
  try {
    await s3.head(place)
    return true
  } catch (error) {
    if (isAnswer(error, 404)) return false
    throw error
  }
}

/**
 * S3 answers 412 where the object is there, and 409 where another write or removal of its name went on meanwhile, which
 * may have come to nothing: then somebody looks, and tries again. Repeating is harmless here: an object that an earlier try
 * stored has the same bytes, and `exists` promises no more.
 */
async function storeOnce(
  s3: ObjectStore,
  place: ObjectPlace,
  bytes: Uint8Array,
): Promise<'stored' | 'exists'> {
  const write = () => (bytes.length > PART_BYTES ? storeParts(s3, place, bytes) : s3.put(place, bytes))
  for (let tries = 1; ; tries++) {
    try {
      await write()
      return 'stored'
    } catch (error) {
      if (isAnswer(error, 'PreconditionFailed', 412)) return 'exists'
      if (!isAnswer(error, 'ConditionalRequestConflict', 409)) throw error
      if (await isThere(s3, place)) return 'exists'
      if (tries === MAX_TRIES) throw busy(error)
    }
  }
}

/** Uploads in parts. What fails is given up, with all its parts; those of a process that ends meanwhile expire by the bucket's rule. */
async function storeParts(s3: ObjectStore, place: ObjectPlace, bytes: Uint8Array): Promise<void> {
  const upload = await s3.begin(place)
  try {
    const count = Math.ceil(bytes.length / PART_BYTES)
    const parts: Awaited<ReturnType<ObjectStore['part']>>[] = []
    for (let from = 0; from < count; from += PARTS_AT_ONCE) {
      const numbers = Array.from({ length: Math.min(PARTS_AT_ONCE, count - from) }, (_, i) => from + i)
      const sent = numbers.map((i) =>
        s3.part(upload, i + 1, bytes.subarray(i * PART_BYTES, (i + 1) * PART_BYTES)),
      )
      // All of them are waited for: a part that arrives after the upload was given up would stay, and be paid for.
      const settled = await Promise.allSettled(sent)
      for (const each of settled) {
        if (each.status === 'rejected') throw each.reason
        parts.push(each.value)
      }
    }
    await s3.complete(upload, parts)
  } catch (error) {
    // What failed first is what is said.
    await s3.abort(upload).catch(() => {})
    throw error
  }
}

function busy(cause: unknown): AmpereError {
  return new AmpereError('STORE_UNAVAILABLE', 'others write or remove the same object; try again later', {
    cause,
  })
}
