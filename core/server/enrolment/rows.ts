// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { fromUtf8, utf8 } from '../../bytes/encoding.ts'
import type { Digest, InstitutionId } from '../../bytes/ids.ts'
import { count } from '../../bytes/schema.ts'
import { AmpereError } from '../../errors.ts'
import type { Ports } from '../../ports/needs.ts'
import type { ReadTable } from '../../ports/table.ts'
import { enrolmentCode } from '../../registry/enrolment.ts'

/** What keeping requests to be enrolled uses. */
export const ENROLMENT_NEEDS = { tables: { enrolments: 'write' }, objects: {}, keys: {} } as const
export type EnrolmentPorts = Ports<typeof ENROLMENT_NEEDS>

/** How long an answer is kept, in milliseconds: a day, in which the machine that asked fetches it. */
export const ANSWER_LIFE_MS = 86_400_000
const REQUESTS = 'request/'
const ANSWERS = 'answer/'
/** Requests lie in this order; the character after `/` ends them. */
export const REQUEST_RANGE = { from: REQUESTS, to: 'request0' }
export const ANSWER_RANGE = { from: ANSWERS, to: 'answer0' }

/**
 * The row of a request: one of 1,024 of its institution, by the first two characters of its code. So an institution's requests
 * take bounded space, and each is found by its code at once, whatever strangers fill the others with.
 */
export function requestRow(id: Digest): string {
  return `${REQUESTS}${enrolmentCode(id).slice(0, 2)}`
}

/** The same of a code. */
export function requestRowOf(code: string): string {
  return `${REQUESTS}${code.slice(0, 2)}`
}

export function answerRow(id: Digest): string {
  return `${ANSWERS}${id}`
}

const stored = v.strictObject({ jws: v.string(), at: count })
/** A request or an answer, and when it came, in ms since 1970. */
export type StoredStatement = v.InferOutput<typeof stored>

export function encodeStatement(statement: StoredStatement): Uint8Array<ArrayBuffer> {
  return utf8(JSON.stringify(statement))
}

/** @throws AmpereError STORE_CORRUPT */
export function parseStatement(value: Uint8Array): StoredStatement {
  let content: unknown
  try {
    content = JSON.parse(fromUtf8(value))
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', 'a stored enrolment is damaged', { cause })
  }
  const parsed = v.safeParse(stored, content)
  if (parsed.success) return parsed.output
  throw new AmpereError('STORE_CORRUPT', 'a stored enrolment is damaged')
}

/** The answer to a request, or null. */
export async function loadAnswer(
  table: ReadTable,
  institution: InstitutionId,
  id: Digest,
): Promise<StoredStatement | null> {
  const row = await table.get(institution, answerRow(id))
  return row && parseStatement(row.value)
}
