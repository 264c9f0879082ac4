// SPDX-License-Identifier: Apache-2.0
import { toBase64url, utf8 } from '../../bytes/encoding.ts'
import type { ChainId } from '../../bytes/ids.ts'
import { parseWith } from '../../bytes/schema.ts'
import { MAX_ANSWER_BYTES } from '../../api/limits.ts'
import { UPLOAD_TYPE, uploadAnswer, type UploadAnswer, type UploadRequest } from '../../api/large/upload.ts'
import { sha256Large } from '../../crypto/hash.ts'
import { AmpereError } from '../../errors.ts'
import { answered, post, readJson } from '../ask-home.ts'
import { call } from '../answer.ts'
import type { ClientPorts } from '../client.ts'

/** Headers that the stores of today's providers want; a home has no business with others. */
const HEADERS = /^(content-type|if-none-match|x-amz-[a-z0-9-]{1,60}|x-ms-[a-z0-9-]{1,60})$/
const LIMITS = { maxBytes: MAX_ANSWER_BYTES.receipt, beyond: 'cut' } as const
/** The URL was signed by a process that is gone, or expired on the way. */
const STALE: ReadonlySet<number> = new Set([403, 410])

/**
 * Puts a sealed object where the home says.
 * @returns the id under which an append names it
 * @throws AmpereError with the home's own code, or UPSTREAM_FAILED
 */
export async function uploadObject(ports: ClientPorts, chain: ChainId, object: Uint8Array): Promise<string> {
  const sha256 = toBase64url(await sha256Large(object)) as UploadRequest['sha256']
  const body = utf8(JSON.stringify({ chain, bytes: object.length, sha256 } satisfies UploadRequest))
  const offer = async (): Promise<UploadAnswer> => {
    const answer = await post(ports, '/v1/uploads', { type: UPLOAD_TYPE, body, isSigned: true }, LIMITS)
    return parseWith(uploadAnswer, readJson(answer), 'UPSTREAM_FAILED', 'answer')
  }
  const first = await offer()
  const put = await send(ports, first, object)
  if (isThere(put)) return first.upload
  if (!STALE.has(put.status)) return refused(put)
  const second = await offer()
  const again = await send(ports, second, object)
  return isThere(again) ? second.upload : refused(again)
}

/**
 * 409 and 412: somebody, most likely this client, was first, and whoever was put these very bytes there. Azure says it with 403 of a
 * signature that only creates, before it looks at any condition (Blob service error codes).
 */
function isThere({ status, bytes }: Sent): boolean {
  if (status === 403) return new TextDecoder().decode(bytes).includes(OVERWRITE)
  return (status >= 200 && status < 300) || status === 409 || status === 412
}

const OVERWRITE = '<Code>UnauthorizedBlobOverwrite</Code>'

type Sent = Parameters<typeof answered>[0]

function refused(answer: Sent): never {
  answered(answer)
  throw new AmpereError('UPSTREAM_FAILED', `the upload was answered ${answer.status}`)
}

/**
 * Sends what is sealed, to whomever the home names: the home itself, or a store by https. So a home cannot have this client
 * send anything to a plain server of the network that it is in.
 */
function send(ports: ClientPorts, { url, method, headers }: UploadAnswer, object: Uint8Array) {
  const to = URL.parse(url)
  const isHome = to?.origin === new URL(ports.pins.origin).origin
  if (!to || !(isHome || to.protocol === 'https:') || to.username !== '' || to.password !== '')
    throw new AmpereError('UPSTREAM_FAILED', 'the home offers an upload to a place that is not https')
  if (!Object.keys(headers).every((name) => HEADERS.test(name.toLowerCase())))
    throw new AmpereError('UPSTREAM_FAILED', 'the home asks for headers that no upload needs')
  const init = { method, headers, body: object as Uint8Array<ArrayBuffer> }
  const fetch = isHome ? ports.fetch : (ports.outside ?? ports.fetch)
  return call({ fetch, deadline: ports.deadline }, { url: to, init, bytes: object.length }, LIMITS)
}
