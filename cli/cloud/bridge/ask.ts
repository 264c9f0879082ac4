// SPDX-License-Identifier: Apache-2.0
import { authorize, type SignedRequest } from '#core/api/request.ts'
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import { call as askWithin } from '#core/client/answer.ts'
import { answered } from '#core/client/ask-home.ts'
import { AmpereError } from '#core/errors.ts'
import type { Fetch, Now, Random, Signer } from '#core/ports/keys.ts'

const random: Random = (length) => crypto.getRandomValues(new Uint8Array(length))
const BRIDGE = 'the bridge'

/** How a bridge in a cloud is asked by its institution: an app instance of it on this computer signs each request. */
export interface Asking {
  readonly fetch: Fetch
  /** The bridge's own. */
  readonly origin: string
  readonly signer: Signer
  readonly now: Now
}

/** What is asked of it. */
export interface Question {
  readonly method: SignedRequest['method']
  readonly path: string
  /** JSON; none for null. */
  readonly body: object | null
  /** Largest answer that is read. */
  readonly maxAnswerBytes: number
}

/** @returns what the answer holds; null for one without a body. @throws AmpereError with the bridge's own code, or UPSTREAM_FAILED */
export async function askBridge(
  { fetch, origin, signer, now }: Asking,
  { method, path, body: wanted, maxAnswerBytes }: Question,
): Promise<unknown> {
  const url = new URL(path, origin)
  const body = wanted === null ? new Uint8Array(0) : utf8(JSON.stringify(wanted))
  const authorization = await authorize({ method, url, body }, { now, random, signer })
  const headers = { authorization, ...(wanted === null ? {} : { 'content-type': 'application/json' }) }
  const init = { method, headers, ...(wanted === null ? {} : { body }) }
  const limits = { maxBytes: maxAnswerBytes, beyond: 'fail' } as const
  const bytes = answered(
    await askWithin({ fetch, who: BRIDGE }, { url, init, bytes: body.length }, limits),
    BRIDGE,
  )
  if (bytes.length === 0) return null
  try {
    return JSON.parse(fromUtf8(bytes))
  } catch (cause) {
    throw new AmpereError('UPSTREAM_FAILED', `${BRIDGE} did not answer with JSON`, { cause })
  }
}
