// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { fromBase64url, isBase64url, toBase64url } from '../../bytes/encoding.ts'
import { parseWith } from '../../bytes/schema.ts'
import { AmpereError } from '../../errors.ts'
import type { Range, Row } from '../../ports/table.ts'

/** Acts in one request at most. */
export const MAX_ROW_ACTS = 100
/** Largest body of such a request, in bytes. */
export const MAX_ROWS_BYTES = 1024 * 1024
/** Largest answer, in bytes: a page of a thousand rows of some kilobytes. */
export const MAX_ROWS_ANSWER_BYTES = 6 * 1024 * 1024
/** Rows of one page at most, as the port of tables has it. */
const MAX_PAGE = 1000

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(512))
const bound = v.exactOptional(v.pipe(v.string(), v.maxLength(1024)))
const bytes = v.pipe(
  v.string(),
  v.check(isBase64url, 'not base64url'),
  v.transform((text: string) => fromBase64url(text)),
)
const version = v.pipe(v.string(), v.maxLength(1024))
const limit = v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_PAGE)))
const range = v.strictObject({ from: bound, to: bound, limit, reverse: v.exactOptional(v.boolean()) })
const get = v.strictObject({ act: v.literal('get'), partition: name, key: name })
const insert = v.strictObject({ act: v.literal('insert'), partition: name, key: name, value: bytes })
const swap = v.strictObject({
  act: v.literal('swap'),
  partition: name,
  key: name,
  expected: v.nullable(version),
  next: v.nullable(bytes),
})
const page = v.strictObject({ act: v.literal('range'), partition: name, range })

// A page may be as large as an answer may: it is asked for alone.
const request = v.union([
  v.strictObject({ acts: v.strictTuple([page]) }),
  v.strictObject({
    acts: v.pipe(v.array(v.variant('act', [get, insert, swap])), v.minLength(1), v.maxLength(MAX_ROW_ACTS)),
  }),
])

/** What is done with one row of a bridge's table, or which page of rows is read: the methods of the table port. */
export type RowAct = v.InferOutput<typeof page | typeof get | typeof insert | typeof swap>

/** What came of an act: a row or none, a page, `inserted` or `exists`, the new version or null. */
export type RowResult = Row | null | readonly Row[] | string

const row = v.pipe(
  v.strictObject({ key: v.string(), value: bytes, version }),
  v.transform((given): Row => given),
)
const RESULTS = {
  get: v.nullable(row),
  range: v.pipe(v.array(row), v.maxLength(MAX_PAGE)),
  insert: v.picklist(['inserted', 'exists']),
  swap: v.nullable(version),
} as const
const answer = v.strictObject({ results: v.pipe(v.array(v.unknown()), v.maxLength(MAX_ROW_ACTS)) })

/** @throws AmpereError REQUEST_MALFORMED */
export function parseRowActs(value: unknown): readonly RowAct[] {
  return parseWith(request, value, 'REQUEST_MALFORMED', 'rows').acts
}

/** The body that asks for these acts; `parseRowActs` reads it. */
export function rowActsJson(acts: readonly RowAct[]): object {
  return { acts: acts.map(withText) }
}

/** The answer to these acts; `parseRowResults` reads it. */
export function rowResultsJson(results: readonly RowResult[]): object {
  return { results: results.map(resultJson) }
}

/** What came of each act, in their order. @throws AmpereError UPSTREAM_FAILED where it does not answer them */
export function parseRowResults(acts: readonly RowAct[], value: unknown): readonly RowResult[] {
  const what = 'answer of the bridge'
  const { results } = parseWith(answer, value, 'UPSTREAM_FAILED', what)
  if (results.length !== acts.length)
    throw new AmpereError('UPSTREAM_FAILED', `${what}: ${results.length} results of ${acts.length} acts`)
  return acts.map(({ act }, at): RowResult => parseWith(RESULTS[act], results[at], 'UPSTREAM_FAILED', what))
}

/** How large the value of an act is in a request, in characters. */
export function valueLength(act: RowAct): number {
  const value = act.act === 'insert' ? act.value : act.act === 'swap' ? act.next : null
  return Math.ceil(((value?.length ?? 0) * 4) / 3)
}

function withText(act: RowAct): object {
  if (act.act === 'insert') return { ...act, value: toBase64url(act.value) }
  return act.act === 'swap' ? { ...act, next: act.next && toBase64url(act.next) } : act
}

function resultJson(result: RowResult): unknown {
  if (result === null || typeof result === 'string') return result
  return Array.isArray(result) ? result.map(rowJson) : rowJson(result as Row)
}

function rowJson({ key, value, version: at }: Row): object {
  return { key, value: toBase64url(value), version: at }
}

/** A range as it is asked for, with no member that says nothing. */
export function rangeJson({ from, to, limit: most, reverse }: Range = {}): v.InferOutput<typeof range> {
  return {
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(most !== undefined && { limit: most }),
    ...(reverse !== undefined && { reverse }),
  }
}
