// SPDX-License-Identifier: Apache-2.0
import { timestampMs } from '../../bytes/timestamp.ts'
import type { EnrolmentState } from '../../api/answers.ts'
import { CLOCK_TOLERANCE_MS, ENROLMENT_LIFE_MS } from '../../api/limits.ts'
import { thumbprint } from '../../crypto/jwk.ts'
import { AmpereError } from '../../errors.ts'
import { openEnrolment, type OpenedEnrolment } from '../../registry/enrolment.ts'
import { keyRecordOf, recordOf } from '../../registry/snapshot.ts'
import type { Home } from '../home.ts'
import { encodeStatement, requestRow, type EnrolmentPorts } from './rows.ts'
import { standingOf, unansweredState } from './standing.ts'

const MAX_ATTEMPTS = 4

/**
 * Keeps a request to be enrolled, which is its own credential. The same again is answered as it stands. It takes the place
 * of whatever other request lies in its row: whoever waits sends it again when it is gone.
 * @throws AmpereError JWS_MALFORMED, REQUEST_MALFORMED, SIGNATURE_INVALID, NOT_FOUND (no such institution), ALREADY_EXISTS
 * (the key is in the registry), GONE (it has expired), CLOCK_SKEW
 */
export async function askToEnrol(
  ports: EnrolmentPorts,
  home: Home,
  compact: string,
): Promise<EnrolmentState> {
  const opened = await openEnrolment(compact, home.verifiers)
  const { institution } = opened.request
  const known = await standingOf(ports, home, institution, opened.id)
  if (known) return known
  await checkNew(home, opened, ports.now())
  const { enrolments } = ports.tables
  const value = encodeStatement({ jws: compact, at: ports.now() })
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const row = await enrolments.get(institution, requestRow(opened.id))
    if (await enrolments.swap(institution, requestRow(opened.id), row?.version ?? null, value)) {
      return unansweredState(opened, ports.now())
    }
  }
  throw new AmpereError('STORE_UNAVAILABLE', 'many requests come at once; send it again')
}

async function checkNew(home: Home, { request }: OpenedEnrolment, nowMs: number): Promise<void> {
  if (request.registry !== home.registry.pinned)
    throw new AmpereError('REQUEST_MALFORMED', 'enrolment request: it is for another registry')
  const newest = (await home.registry.refresh()).newest()
  if (recordOf(newest, 'institution', request.institution)?.status !== 'active')
    throw new AmpereError('NOT_FOUND', 'the registry has no such active institution')
  if (keyRecordOf(newest, thumbprint(request.jwk)))
    throw new AmpereError('ALREADY_EXISTS', 'the key is in the registry already')
  const ageMs = nowMs - timestampMs(request.time)
  if (ageMs > ENROLMENT_LIFE_MS) throw new AmpereError('GONE', 'the request has expired')
  if (ageMs < -CLOCK_TOLERANCE_MS)
    throw new AmpereError('CLOCK_SKEW', 'the request is dated after the time here')
}
