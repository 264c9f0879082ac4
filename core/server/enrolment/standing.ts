// SPDX-License-Identifier: Apache-2.0
import type { Digest, InstitutionId } from '../../bytes/ids.ts'
import { timestampMs, toTimestamp } from '../../bytes/timestamp.ts'
import { parseJws } from '../../block/jws.ts'
import type { EnrolmentState } from '../../api/answers.ts'
import { ENROLMENT_LIFE_MS } from '../../api/limits.ts'
import { openEnrolment, parseEnrolmentAnswer, type OpenedEnrolment } from '../../registry/enrolment.ts'
import { asOf, isExpired, keyRecordOf, recordOf, type RegistryView } from '../../registry/snapshot.ts'
import type { Home } from '../home.ts'
import { loadAnswer, parseStatement, requestRow, type EnrolmentPorts } from './rows.ts'

/** How a request stands that is kept here; null where there is none. */
export async function standingOf(
  { tables: { enrolments }, now }: EnrolmentPorts,
  home: Home,
  institution: InstitutionId,
  id: Digest,
): Promise<EnrolmentState | null> {
  const answer = await loadAnswer(enrolments, institution, id)
  if (answer) {
    const newest = asOf((await home.registry.refresh()).newest(), now())
    return answeredState(id, answer.jws, newest)
  }
  const row = await enrolments.get(institution, requestRow(id))
  const stored = row && parseStatement(row.value).jws
  if (stored === null || parseJws(stored, 'ampere-enrolment+jws').id !== id) return null
  return unansweredState(await openEnrolment(stored, home.verifiers), now())
}

/** How a request stands that nobody answered. */
export function unansweredState({ id, request }: OpenedEnrolment, nowMs: number): EnrolmentState {
  const expiresMs = timestampMs(request.time) + ENROLMENT_LIFE_MS
  const state = nowMs > expiresMs ? 'expired' : 'waiting'
  return { id, state, expires: toTimestamp(expiresMs), answer: null, standing: null }
}

function answeredState(id: Digest, compact: string, newest: RegistryView): EnrolmentState {
  const { answer } = parseEnrolmentAnswer(compact)
  const isApproved = answer.answer === 'approved'
  const standing = isApproved ? keyStanding(newest, answer) : null
  return { id, state: answer.answer, expires: null, answer: compact, standing }
}

function keyStanding(
  newest: RegistryView,
  { kid }: Pick<ReturnType<typeof parseEnrolmentAnswer>['answer'], 'kid'>,
): EnrolmentState['standing'] {
  const key = keyRecordOf(newest, kid)
  if (!key || !('instance' in key.owner)) return 'revoked'
  const instance = recordOf(newest, 'instance', key.owner.instance)
  if (key.revoked?.reason === 'suspended') return 'suspended'
  if (key.revoked)
    return key.revoked.reason === 'retired' && instance?.status === 'active' ? 'renewed' : 'revoked'
  return isExpired(newest, kid) ? 'expired' : 'active'
}
