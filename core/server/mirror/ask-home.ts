// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '../../bytes/encoding.ts'
import { concat } from '../../bytes/frame.ts'
import { mostJsonValues } from '../../bytes/json-values.ts'
import { MAX_RANGE_BYTES } from '../../api/large/upload.ts'
import { MAX_ANSWER_BYTES } from '../../api/limits.ts'
import { authorize } from '../../api/request.ts'
import { AmpereError } from '../../errors.ts'
import { ask, type Answer } from '../../order/ask.ts'
import type { Deadline } from '../../order/deadline.ts'
import type { Fetch, Now, Random, Signer } from '../../ports/keys.ts'

/** How a mirror asks a home, or a home that was lost its mirror. */
export interface Asking {
  readonly fetch: Fetch
  readonly now: Now
  readonly random: Random
  readonly signer: Signer
  readonly deadline: Deadline
  /** When nothing is asked for any more, in POSIX milliseconds: whoever answers slowly does not do so for ever. */
  readonly until?: number
  /** Who is asked, in messages; the home where it is left out. */
  readonly who?: string
}

/** How long one answer may take, in milliseconds, beside the time that its bytes take at 128 KiB/s. */
const ANSWER_MS = 60_000
const MIN_BYTES_PER_MS = 131
const MAX_VALUES = 1_000_000
const HOME = 'the home'

/** Hands something in. @throws AmpereError UPSTREAM_FAILED unless it was taken */
export async function handIn(
  asking: Asking,
  url: URL,
  type: string,
  body: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const request = { method: 'POST', headers: { 'content-type': type }, body }
  const { status } = await answer(asking, url, request, MAX_ANSWER_BYTES.receipt)
  if (status !== 200 && status !== 201) throw failed(`answered ${status}`, asking.who)
}

/** What a home has at a URL, asked by a signed request; null where it says that there is nothing. @throws AmpereError UPSTREAM_FAILED */
export async function fetched(asking: Asking, url: URL, maxBytes: number): Promise<Uint8Array | null> {
  return bodyOf(asking, await asked(asking, url, maxBytes))
}

/**
 * The same in ranges of `MAX_RANGE_BYTES`, because what it runs behind may let no larger answer pass. Who gives no ranges gives the
 * whole; a range that is shorter than asked for is the last.
 */
export async function fetchedInRanges(
  asking: Asking,
  url: URL,
  maxBytes: number,
): Promise<Uint8Array | null> {
  const parts: Uint8Array[] = []
  // One byte more tells what is too long.
  const most = maxBytes + 1
  for (let start = 0; start < most;) {
    const end = Math.min(start + MAX_RANGE_BYTES, most)
    const found = await asked(asking, url, maxBytes, { range: `bytes=${start}-${end - 1}` })
    // It ended where a range did.
    if (found.status === 416 && start > 0) break
    if (found.status !== 206) return bodyOf(asking, found)
    parts.push(found.bytes.subarray(0, end - start))
    if (found.bytes.length < end - start) break
    start = end
  }
  const bytes = concat(...parts)
  if (bytes.length > maxBytes) throw failed(`answered with more than ${maxBytes} bytes`, asking.who)
  return bytes
}

async function asked(
  asking: Asking,
  url: URL,
  maxBytes: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  if (asking.until !== undefined && asking.now() >= asking.until)
    throw failed('takes longer than one run may', asking.who)
  const authorization = await authorize({ method: 'GET', url, body: new Uint8Array(0) }, asking)
  return answer(asking, url, { headers: { ...headers, authorization } }, maxBytes)
}

function bodyOf(asking: Asking, { status, bytes }: Answer): Uint8Array | null {
  if (status === 404 || status === 410) return null
  if (status === 401 || status === 403) throw failed(`refuses this app instance (${status})`, asking.who)
  if (status !== 200) throw failed(`answered ${status}`, asking.who)
  return bytes
}

function answer(
  { fetch, deadline, who = HOME }: Asking,
  url: URL,
  init: RequestInit,
  maxBytes: number,
): Promise<Answer> {
  const first = deadline(ANSWER_MS + Math.ceil(maxBytes / MIN_BYTES_PER_MS))
  return ask(fetch, { url, init }, { who, first, limits: () => ({ maxBytes, beyond: 'fail' }) })
}

/** @throws AmpereError UPSTREAM_FAILED */
export function jsonOf(bytes: Uint8Array, who = HOME): unknown {
  if (mostJsonValues(bytes) > MAX_VALUES) throw failed(`answered with more than ${MAX_VALUES} values`, who)
  try {
    return JSON.parse(textOf(bytes, who))
  } catch (cause) {
    throw new AmpereError('UPSTREAM_FAILED', `${who} answered with something that is not JSON`, { cause })
  }
}

/** @throws AmpereError UPSTREAM_FAILED */
export function textOf(bytes: Uint8Array, who = HOME): string {
  try {
    return fromUtf8(bytes)
  } catch (cause) {
    throw new AmpereError('UPSTREAM_FAILED', `${who} answered with something that is no text`, { cause })
  }
}

/** Who was asked did something that no home does. */
export function failed(what: string, who = HOME): AmpereError {
  return new AmpereError('UPSTREAM_FAILED', `${who} ${what}`)
}
