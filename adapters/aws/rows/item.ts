// SPDX-License-Identifier: Apache-2.0
import { promisify } from 'node:util'
import { deflateRaw, inflateRaw } from 'node:zlib'
import { AmpereError } from '#core/errors.ts'
import type { Row, RowName } from '#core/ports/table.ts'

/**
 * A row as an item of DynamoDB: `pk` partition, `sk` key, `version`, and `value`, or `deflated` where the value would not fit.
 * Strings of DynamoDB are ordered by their UTF-8 bytes, as the port promises.
 */
export interface Item {
  readonly pk: { readonly S: string }
  readonly sk: { readonly S: string }
  readonly version: { readonly S: string }
  readonly value?: { readonly B: Uint8Array }
  readonly deflated?: { readonly B: Uint8Array }
}

/**
 * An item has up to 400 KiB with its names. The largest rows that are kept, key rows of 4,096 tombstones (477 kB) and those of a
 * monitor with three notes of 128 KiB, are JSON of base64, which deflates to 77 % at most: one item holds any row, and a
 * swap stays one atomic step.
 */
const MAX_PLAIN_BYTES = 390_000
const MAX_DEFLATED_BYTES = 405_000
/** Of a row that somebody else put there: it must not take the memory. */
const MAX_INFLATED_BYTES = 2 * 1024 * 1024

/**
 * DynamoDB takes no empty key. What is empty, or begins with NUL, gets a NUL in front, which keeps the order.
 */
export function encodeKey(key: string): { S: string } {
  return { S: key === '' || key.startsWith('\0') ? `\0${key}` : key }
}

function decodeKey(stored: string): string {
  return stored.startsWith('\0') ? stored.slice(1) : stored
}

/** Where the row of an item is, by its keys alone; null where they are none of ours. */
export function nameOf(keys: unknown): RowName | null {
  const { pk, sk } = (keys ?? {}) as { readonly pk?: { S?: unknown }; readonly sk?: { S?: unknown } }
  if (typeof pk?.S !== 'string' || typeof sk?.S !== 'string') return null
  return { partition: decodeKey(pk.S), key: decodeKey(sk.S) }
}

/** A value as an item's attribute. @throws AmpereError TOO_LARGE for one that does not fit in any way */
export async function encodeValue(value: Uint8Array): Promise<Pick<Item, 'value' | 'deflated'>> {
  if (value.length <= MAX_PLAIN_BYTES) return { value: { B: value } }
  const deflated = value.length <= MAX_INFLATED_BYTES ? await promisify(deflateRaw)(value) : value
  if (deflated.length > MAX_DEFLATED_BYTES)
    throw new AmpereError('TOO_LARGE', 'a row is larger than an item of DynamoDB, even compressed')
  return { deflated: { B: deflated } }
}

/** @throws AmpereError STORE_CORRUPT for an item that is no row of ours */
export async function rowOf(item: Readonly<Record<string, unknown>>): Promise<Row> {
  const { sk, version, value, deflated } = item as Partial<Item>
  if (typeof sk?.S !== 'string' || typeof version?.S !== 'string') throw corrupt()
  const row = { key: decodeKey(sk.S), version: version.S }
  if (value?.B instanceof Uint8Array) return { ...row, value: new Uint8Array(value.B) }
  if (!(deflated?.B instanceof Uint8Array)) throw corrupt()
  return { ...row, value: await inflate(deflated.B) }
}

async function inflate(bytes: Uint8Array): Promise<Uint8Array> {
  try {
    return new Uint8Array(await promisify(inflateRaw)(bytes, { maxOutputLength: MAX_INFLATED_BYTES }))
  } catch (cause) {
    throw corrupt(cause)
  }
}

function corrupt(cause?: unknown): AmpereError {
  return new AmpereError('STORE_CORRUPT', 'an item of a table is damaged or is not one of ours', { cause })
}
