// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { copiesAnswer, type CopiesAnswer } from '#core/api/mirrored.ts'
import { authorize } from '#core/api/request.ts'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { answered } from '#core/client/ask-home.ts'
import { call } from '#core/client/answer.ts'
import { AmpereError } from '#core/errors.ts'
import type { Fetch, Now, Random, Signer } from '#core/ports/keys.ts'

const random: Random = (length) => crypto.getRandomValues(new Uint8Array(length))
const HOME = 'the home'
/** Largest answer that is read, in bytes: some hundred homes. */
const MAX_ANSWER_BYTES = 1024 * 1024

/**
 * What came of the last runs of a mirror, as its home says it to an app instance of its institution.
 * @throws AmpereError with the home's own code, or UPSTREAM_FAILED
 */
export async function askRuns(
  { fetch, now, signer }: { readonly fetch: Fetch; readonly now: Now; readonly signer: Signer },
  origin: string,
): Promise<CopiesAnswer> {
  const url = new URL('/v1/copies', origin)
  const body = new Uint8Array(0)
  const authorization = await authorize({ method: 'GET', url, body }, { now, random, signer })
  const init = { method: 'GET', headers: { authorization } }
  const limits = { maxBytes: MAX_ANSWER_BYTES, beyond: 'fail' } as const
  const bytes = answered(await call({ fetch, who: HOME }, { url, init, bytes: 0 }, limits), HOME)
  try {
    return v.parse(copiesAnswer, JSON.parse(fromUtf8(bytes)))
  } catch (cause) {
    throw new AmpereError('UPSTREAM_FAILED', `${HOME} does not say what came of its mirror's runs`, { cause })
  }
}
