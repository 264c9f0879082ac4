// SPDX-License-Identifier: Apache-2.0
import { jsonOrNull } from '#core/client/answer.ts'
import { readBody } from '#core/order/read-body.ts'
import type { Terminal } from '../../../terminal/terminal.ts'
import type { Delivery, Place } from './deliveries.ts'

/** What became of one resource. */
export interface Outcome extends Place {
  readonly status: number
  readonly outcome: 'created' | 'updated' | 'accepted' | 'refused' | 'unknown'
  /** Codes and element paths of the server's OperationOutcome: never its text, which may quote what was sent. */
  readonly why: string
}

export interface Target {
  readonly base: string
  readonly token: string | null
  readonly timeoutMs: number
  readonly fetch: (request: Request) => Promise<Response>
  readonly wait: Terminal['wait']
  readonly now: Terminal['now']
}

/** Tries of one delivery while the server says that it is busy. */
const MAX_TRIES = 6
const FIRST_WAIT_MS = 1000
/** A server that asks for more patience than this is left alone. */
const MAX_WAIT_MS = 120_000
/** Bytes that are read of one answer: a Bundle of outcomes, or the resources once more. */
export const MAX_RESULT_BYTES = 64 * 1024 * 1024
/** Too many requests; service unavailable: both mean that nothing was done (RFC 9110, RFC 6585). */
const BUSY = [429, 503]

/** Delivers, again while the server is busy, and says what became of each resource. */
export async function deliver(target: Target, delivery: Delivery): Promise<readonly Outcome[]> {
  for (let attempt = 1; ; attempt++) {
    const answer = await tryOnce(target, delivery)
    if (answer === null) return all(delivery, 0, 'unknown', 'no answer: it may have been filed')
    if (!BUSY.includes(answer.status) || attempt === MAX_TRIES) return outcomesOf(delivery, answer)
    const waitMs = retryAfterMs(answer.retryAfter, target.now()) ?? FIRST_WAIT_MS * 2 ** (attempt - 1)
    if (waitMs > MAX_WAIT_MS)
      return all(delivery, answer.status, 'refused', `busy for ${Math.round(waitMs / 1000)} s`)
    await target.wait(waitMs)
  }
}

interface Answer {
  readonly status: number
  readonly retryAfter: string | null
  readonly isEmpty: boolean
  /** Null for what is not JSON. */
  readonly body: unknown
}

/** One request; null when no answer came, so that nobody knows what happened. */
async function tryOnce(target: Target, delivery: Delivery): Promise<Answer | null> {
  const headers = {
    'content-type': 'application/fhir+json',
    accept: 'application/fhir+json',
    ...(target.token === null ? {} : { authorization: `Bearer ${target.token}` }),
  }
  const { method, path, body } = delivery
  const signal = AbortSignal.timeout(target.timeoutMs)
  try {
    // What is sent is for this server alone: a redirection is refused like any other answer that files nothing.
    const response = await target.fetch(
      new Request(`${target.base}${path}`, { method, headers, body, signal, redirect: 'manual' }),
    )
    const { status } = response
    const retryAfter = response.headers.get('retry-after')
    if (!response.ok) {
      const refusal = await jsonOrNull(response, MAX_RESULT_BYTES, signal)
      return { status, retryAfter, isEmpty: refusal === null, body: refusal }
    }
    // What was filed is in a body that has to be read whole: of half a one nothing is known.
    const bytes = await readBody(
      response,
      { maxBytes: MAX_RESULT_BYTES, beyond: 'fail', who: 'the server' },
      signal,
    )
    return { status, retryAfter, isEmpty: bytes.length === 0, body: parsed(new TextDecoder().decode(bytes)) }
  } catch {
    return null
  }
}

/** Milliseconds that a Retry-After header asks for: seconds or an HTTP date (RFC 9110 section 10.2.3). */
export function retryAfterMs(header: string | null, nowMs: number): number | null {
  if (header === null) return null
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000
  const date = Date.parse(header)
  return Number.isNaN(date) ? null : Math.max(0, date - nowMs)
}

interface Entry {
  readonly response?: { readonly status?: unknown; readonly outcome?: unknown }
}

/** What is said of an answer that no FHIR server gives. */
export const NOT_FHIR = 'not the answer of a FHIR server'
/** Of these, a FHIR server says more than a web server does; others may come from a gateway before it. */
const TELLING = [404, 405]

/** An answer without a resource: a page of a web site, say. A success may be empty (`Prefer: return=minimal`). */
function isForeign({ status, isEmpty, body }: Answer): boolean {
  const { resourceType } = (body ?? {}) as { resourceType?: unknown }
  if (typeof resourceType === 'string') return false
  return (status < 400 && !isEmpty) || TELLING.includes(status)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function outcomesOf(delivery: Delivery, answer: Answer): readonly Outcome[] {
  if (isForeign(answer)) return all(delivery, answer.status, 'refused', NOT_FHIR)
  const { type, entry } = (answer.body ?? {}) as { type?: unknown; entry?: readonly Entry[] }
  const isResponse = type === 'transaction-response' || type === 'batch-response'
  if (!isResponse || !entry) return all(delivery, answer.status, wordOf(answer.status), whyOf(answer.body))
  return delivery.places.map((place, i) => {
    const status = Number.parseInt(wordIn(entry[i]?.response?.status) || '0', 10)
    return { ...place, status, outcome: wordOf(status), why: whyOf(entry[i]?.response?.outcome) }
  })
}

function all(delivery: Delivery, status: number, outcome: Outcome['outcome'], why: string): Outcome[] {
  return delivery.places.map((place) => ({ ...place, status, outcome, why }))
}

function wordOf(status: number): Outcome['outcome'] {
  if (status === 201) return 'created'
  if (status === 200 || status === 204) return 'updated'
  if (status > 200 && status < 300) return 'accepted'
  return status === 0 ? 'unknown' : 'refused'
}

interface Issue {
  readonly severity?: unknown
  readonly code?: unknown
  readonly expression?: readonly unknown[]
}

/** What should be text in another server's answer, and need not be. */
function wordIn(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function whyOf(outcome: unknown): string {
  const { resourceType, issue } = (outcome ?? {}) as { resourceType?: unknown; issue?: readonly Issue[] }
  if (resourceType !== 'OperationOutcome' || !Array.isArray(issue)) return ''
  const grave = (issue as readonly Issue[]).filter(
    ({ severity }) => severity === 'error' || severity === 'fatal',
  )
  return grave
    .slice(0, 3)
    .map(({ code, expression }) => {
      const path = wordIn(expression?.[0])
      const place = /^[A-Za-z][A-Za-z0-9_.[\]]{0,120}$/.test(path) ? ` at ${path}` : ''
      return `${/^[a-z-]{1,40}$/.test(wordIn(code)) ? wordIn(code) : 'error'}${place}`
    })
    .join('; ')
}
