// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '../errors.ts'
import { fromUtf8, utf8 } from './encoding.ts'

/** What Ampere's own documents consist of: RFC 8785 restricted to integers 0..2^53-1. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json
}

const MAX_DEPTH = 16

/**
 * RFC 8785 form of a value, as a string: keys sorted by UTF-16 code units, no white space.
 * Numbers are integers 0..2^53-1 only, so ECMAScript's number formatting is never in play.
 * @throws AmpereError JSON_MALFORMED for anything else (fractions, negatives, lone surrogates, undefined)
 */
export function canonicalize(value: unknown): string {
  return isInOrder(value, 0) ? JSON.stringify(value) : write(value, 0)
}

/** UTF-8 bytes of `canonicalize`. */
export function canonicalBytes(value: unknown): Uint8Array<ArrayBuffer> {
  return utf8(canonicalize(value))
}

/**
 * Parses bytes that must be exactly the canonical form of what they say: one value, one spelling.
 * Duplicate keys, white space, other number spellings and key orders all fail here.
 * @throws AmpereError JSON_MALFORMED or ENCODING_MALFORMED
 */
export function parseCanonical(bytes: Uint8Array): Json {
  const text = fromUtf8(bytes)
  let value: Json
  try {
    value = JSON.parse(text) as Json
  } catch (cause) {
    throw new AmpereError('JSON_MALFORMED', 'not JSON', { cause })
  }
  if (canonicalize(value) !== text) throw new AmpereError('JSON_MALFORMED', 'JSON is not in canonical form')
  return value
}

/**
 * True when JSON.stringify gives the canonical form: values of the allowed kinds only, and every object's keys in
 * order already, as those of parsed canonical JSON are. Anything else is for `write`, which sorts or refuses.
 */
function isInOrder(value: unknown, depth: number): boolean {
  if (depth > MAX_DEPTH) return false
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0)
  if (value === null || typeof value === 'boolean') return true
  if (Array.isArray(value)) {
    for (const item of value as readonly unknown[]) if (!isInOrder(item, depth + 1)) return false
    return true
  }
  // Other objects may bring a toJSON of their own.
  if (typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return false
  let before = ''
  for (const key of Object.keys(value)) {
    if (key < before || !key.isWellFormed() || !isInOrder((value as Record<string, unknown>)[key], depth + 1))
      return false
    before = key
  }
  return true
}

function write(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH) throw new AmpereError('JSON_MALFORMED', `JSON is nested deeper than ${MAX_DEPTH}`)
  if (value === null || value === true || value === false) return String(value)
  if (typeof value === 'string') return writeString(value)
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || value < 0 || Object.is(value, -0)) {
      throw new AmpereError('JSON_MALFORMED', 'number is not an integer 0..2^53-1')
    }
    return String(value)
  }
  if (Array.isArray(value)) return writeArray(value, depth)
  if (typeof value === 'object') return writeObject(value as Record<string, unknown>, depth)
  throw new AmpereError('JSON_MALFORMED', `${typeof value} has no JSON form`)
}

function writeArray(value: readonly unknown[], depth: number): string {
  let out = ''
  for (const item of value) out += `${out === '' ? '[' : ','}${write(item, depth + 1)}`
  return out === '' ? '[]' : `${out}]`
}

function writeObject(value: Record<string, unknown>, depth: number): string {
  let out = ''
  for (const key of Object.keys(value).toSorted(byCodeUnits)) {
    out += `${out === '' ? '{' : ','}${writeString(key)}:${write(value[key], depth + 1)}`
  }
  return out === '' ? '{}' : `${out}}`
}

function writeString(text: string): string {
  if (!text.isWellFormed()) throw new AmpereError('JSON_MALFORMED', 'string has a lone surrogate')
  return JSON.stringify(text)
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
