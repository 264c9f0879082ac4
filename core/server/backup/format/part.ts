// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { canonicalBytes, parseCanonical } from '../../../bytes/canonical-json.ts'
import { concat, uint32 } from '../../../bytes/frame.ts'
import type { Digest } from '../../../bytes/ids.ts'
import { count, digest, parseWith } from '../../../bytes/schema.ts'
import { AmpereError } from '../../../errors.ts'
import { placeSchema, type Place } from './place.ts'

/**
 * What an item is. Of a chain: `block`, its key `row`, sealed `object`, packages and label key (`keys`), statements of
 * erasures (`erased`), receipts of homes that it left (`moved`), and `end` with the height of its newest block. `large` says that the object is a file of its own. Of
 * the log: `file`, `witnessed` checkpoint. `registry`: a block of it.
 */
export const KINDS = [
  'block',
  'row',
  'object',
  'large',
  'keys',
  'erased',
  'moved',
  'end',
  'file',
  'witnessed',
  'registry',
] as const
export type Kind = (typeof KINDS)[number]

/** One thing that was read, under the name by which it is looked for. */
export interface Item {
  readonly kind: Kind
  readonly name: string
  readonly bytes: Uint8Array
}

/** What was read so far, from the beginning of the backup on. */
export interface Totals {
  readonly chains: number
  readonly blocks: number
  readonly objects: number
  readonly logFiles: number
}

/** Consecutive items of a backup, stored as one immutable object. */
export interface Part {
  /** The backup that it is of. */
  readonly backup: Digest
  /** SHA-256 of the part before; null for the first. */
  readonly before: Digest | null
  readonly from: Place
  /** Where the part after it begins. */
  readonly next: Place
  /** After this part. */
  readonly totals: Totals
  readonly items: readonly Item[]
}

export const totalsSchema = v.strictObject({ chains: count, blocks: count, objects: count, logFiles: count })

const headSchema = v.strictObject({
  v: v.literal(1),
  backup: digest,
  before: v.nullable(digest),
  from: placeSchema,
  next: placeSchema,
  totals: totalsSchema,
  items: v.array(v.strictTuple([v.picklist(KINDS), v.string(), count])),
})

/** uint32 length of a JSON head, the head, then the bytes of all items in order. */
export function encodePart({ items, ...head }: Part): Uint8Array<ArrayBuffer> {
  const listed = items.map(({ kind, name, bytes }) => [kind, name, bytes.length])
  const text = canonicalBytes({ v: 1, ...head, items: listed })
  return concat(uint32(text.length), text, ...items.map(({ bytes }) => bytes))
}

/** Items are views of `bytes`. @throws AmpereError STORE_CORRUPT */
export function decodePart(bytes: Uint8Array): Part {
  const length = bytes.length < 4 ? -1 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
  let at = 4 + length
  if (length < 0 || bytes.length < at) throw changed()
  const head = parseWith(headSchema, parsed(bytes.subarray(4, at)), 'STORE_CORRUPT', 'part of a backup')
  const items = head.items.map(([kind, name, size]) => {
    at += size
    return { kind, name, bytes: bytes.subarray(at - size, at) }
  })
  if (at !== bytes.length) throw changed()
  const { backup, before, from, next, totals } = head
  return { backup, before, from, next, totals, items }
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return parseCanonical(bytes)
  } catch (cause) {
    throw changed(cause)
  }
}

function changed(cause?: unknown): AmpereError {
  return new AmpereError('STORE_CORRUPT', 'a part of the backup was changed', { cause })
}
