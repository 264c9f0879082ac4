// SPDX-License-Identifier: Apache-2.0
import { toBase64url } from '../../bytes/encoding.ts'
import { toTimestamp } from '../../bytes/timestamp.ts'
import {
  MAX_UPLOADED_BYTES,
  MAX_UPLOADS,
  UPLOAD_LIFE_MS,
  UPLOAD_URL_MS,
  type UploadAnswer,
  type UploadRequest,
} from '../../api/large/upload.ts'
import { isInForce } from '../../chain/rules/authority.ts'
import { grantOf, type ControlState } from '../../chain/state.ts'
import { AmpereError, type RateLimit } from '../../errors.ts'
import { checkMayFetch, type Caller } from '../authenticate.ts'
import type { Home } from '../home.ts'
import type { OfferPorts } from './needs.ts'
import { changeOffers, endOffers, loadOffers, uploadName, type Offer } from './offers.ts'

/**
 * Offers an upload to who may append to the chain. The same object is offered under the same id until it is appended, so
 * that asking again, after whatever failed, costs nothing and takes no more of the quota.
 * @throws AmpereError NOT_FOUND, FORBIDDEN, UNSUPPORTED, TOO_LARGE, LIMIT_EXCEEDED, STORE_UNAVAILABLE
 */
export async function offerUpload(
  ports: OfferPorts,
  home: Home,
  asked: UploadRequest,
  { caller, state }: { readonly caller: Caller; readonly state: ControlState },
): Promise<UploadAnswer> {
  const { uploads } = ports
  checkMayFetch(caller, state, ports.now())
  if (!uploads)
    throw new AmpereError('UNSUPPORTED', 'this home takes no uploads; send the object with its block')
  checkSize(uploads.maxBytes, asked, caller, state, ports.now())
  const owner = caller.reader
  const nowMs = ports.now()
  const isOver = (one: Offer) => one.untilMs <= nowMs
  const { offers } = await loadOffers(ports.tables.quotas, owner)
  if (offers.some((one) => one.ending || isOver(one))) await endOffers(ports, owner, isOver)
  const offered = { id: '', untilMs: nowMs + UPLOAD_LIFE_MS }
  await changeOffers(ports, owner, (now) => {
    const same = now.find((one) => isSame(one, asked) && !isOver(one))
    offered.id = same?.id ?? toBase64url(ports.random(16))
    if (same) return now.map((one) => (one === same ? { ...one, untilMs: offered.untilMs } : one))
    checkRoom(now, asked.bytes, nowMs)
    return [...now, { ...asked, ...offered, used: null, ending: false }]
  })
  const expiresMs = nowMs + UPLOAD_URL_MS
  const { bytes, sha256 } = asked
  const { method, url, headers } = await uploads.offer(uploadName(owner, offered.id), {
    bytes,
    sha256,
    expiresMs,
  })
  return {
    upload: offered.id,
    method,
    url: new URL(url, home.origin).href,
    headers: { ...headers },
    expires: toTimestamp(expiresMs),
    appendBefore: toTimestamp(offered.untilMs),
  }
}

function isSame(one: Offer, { chain, bytes, sha256 }: UploadRequest): boolean {
  const isOpen = one.used === null && !one.ending
  return isOpen && one.chain === chain && one.bytes === bytes && one.sha256 === sha256
}

/** What could not be appended is not taken in. */
function checkSize(
  maxBytes: number,
  { bytes }: UploadRequest,
  caller: Caller,
  state: ControlState,
  nowMs: number,
): void {
  if (bytes > maxBytes) throw new AmpereError('TOO_LARGE', `an upload has at most ${maxBytes} bytes here`)
  if (state.controllers.members.some((one) => one.kind === 'device' && one.kid === caller.kid)) return
  const grant = caller.institution === null ? null : grantOf(state, caller.institution)
  const mayAppend =
    grant !== null &&
    isInForce(grant, toTimestamp(nowMs)) &&
    // As in the chain's rules: every reader may enter what it read into an access chain.
    (grant.rights.includes('append') || (state.purpose === 'access' && grant.rights.includes('read')))
  if (!mayAppend) throw new AmpereError('FORBIDDEN', 'uploading needs the right to append to the chain')
  if (grant.limits && bytes > grant.limits.bytesPerDay)
    throw new AmpereError('TOO_LARGE', `the grant allows ${grant.limits.bytesPerDay} bytes per day`)
}

function checkRoom(offers: readonly Offer[], bytes: number, nowMs: number): void {
  const open = offers.filter(({ used }) => used === null)
  const held = open.reduce((sum, one) => sum + one.bytes, 0)
  const resetSeconds = Math.max(1, Math.ceil((Math.min(...open.map((one) => one.untilMs)) - nowMs) / 1000))
  const window = { windowSeconds: UPLOAD_LIFE_MS / 1000, resetSeconds }
  if (open.length >= MAX_UPLOADS)
    throw full({ policy: 'uploads', unit: 'requests', quota: MAX_UPLOADS, remaining: 0, ...window })
  const remaining = Math.max(0, MAX_UPLOADED_BYTES - held)
  if (bytes > remaining)
    throw full({
      policy: 'uploads-bytes',
      unit: 'content-bytes',
      quota: MAX_UPLOADED_BYTES,
      remaining,
      ...window,
    })
}

function full(rateLimit: RateLimit): AmpereError {
  const what = rateLimit.unit === 'requests' ? 'uploads' : 'bytes of uploads'
  const message = `${rateLimit.quota} ${what} may wait at a time; append them, or let them expire`
  return new AmpereError('LIMIT_EXCEEDED', message, { rateLimit })
}
