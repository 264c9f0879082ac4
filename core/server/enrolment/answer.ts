// SPDX-License-Identifier: Apache-2.0
import type { Digest, InstitutionId } from '../../bytes/ids.ts'
import { timestampMs } from '../../bytes/timestamp.ts'
import { verifyJws } from '../../block/jws.ts'
import type { EnrolmentState } from '../../api/answers.ts'
import { CLOCK_TOLERANCE_MS } from '../../api/limits.ts'
import { AmpereError } from '../../errors.ts'
import { parseEnrolmentAnswer, type EnrolmentAnswer, type ParsedAnswer } from '../../registry/enrolment.ts'
import { activeInstanceOf, activeRootOf, asOf, type RegistryView } from '../../registry/snapshot.ts'
import type { Home } from '../home.ts'
import {
  ANSWER_LIFE_MS,
  ANSWER_RANGE,
  answerRow,
  encodeStatement,
  parseStatement,
  type EnrolmentPorts,
} from './rows.ts'
import { standingOf } from './standing.ts'

/**
 * Keeps what an institution answers to a request; by its root key, the answer is its own credential. The first answer stays,
 * and the same verdict again is answered as it stands. An approval is taken where the registry has the key, even of a request
 * that expired meanwhile; a refusal only of one that waits.
 * @throws AmpereError JWS_MALFORMED, REQUEST_MALFORMED, UNAUTHORIZED, SIGNATURE_INVALID, CLOCK_SKEW, NOT_FOUND (no such
 * request), ALREADY_EXISTS (it was answered otherwise), GONE (it has expired), VERIFICATION_FAILED (the registry does not
 * have the key)
 */
export async function answerEnrolment(
  ports: EnrolmentPorts,
  home: Home,
  id: Digest,
  compact: string,
): Promise<EnrolmentState> {
  const parsed = parseEnrolmentAnswer(compact)
  const { answer } = parsed
  if (answer.enrolment !== id || answer.registry !== home.registry.pinned)
    throw new AmpereError('REQUEST_MALFORMED', 'enrolment answer: it is for another request')
  const newest = asOf((await home.registry.refresh()).newest(), ports.now())
  await checkRoot(home, parsed, newest)
  if (Math.abs(timestampMs(answer.time) - ports.now()) > CLOCK_TOLERANCE_MS)
    throw new AmpereError('CLOCK_SKEW', 'the time of the answer is too far from the time here')
  const { institution } = answer
  const known = await standingOf(ports, home, institution, id)
  if (known?.state === 'approved' || known?.state === 'refused') return sameVerdict(known, answer)
  if (answer.answer === 'approved') checkEntered(answer, newest)
  else if (!known) throw new AmpereError('NOT_FOUND', 'no such request')
  else if (known.state === 'expired') throw new AmpereError('GONE', 'the request has expired')
  await sweep(ports, institution)
  await ports.tables.enrolments.insert(
    institution,
    answerRow(id),
    encodeStatement({ jws: compact, at: ports.now() }),
  )
  const after = await standingOf(ports, home, institution, id)
  if (!after) throw new AmpereError('STORE_UNAVAILABLE', 'the answer is not there after it was stored')
  return sameVerdict(after, answer)
}

async function checkRoot(home: Home, { jws, answer }: ParsedAnswer, newest: RegistryView): Promise<void> {
  const institution = activeRootOf(newest, jws.kid)
  if (institution?.id !== answer.institution)
    throw new AmpereError('UNAUTHORIZED', 'the answer is not by the root key of the institution')
  await verifyJws(jws, institution.root, home.verifiers)
}

function checkEntered({ kid, institution }: EnrolmentAnswer, newest: RegistryView): void {
  if (activeInstanceOf(newest, kid)?.institution.id === institution) return
  throw new AmpereError('VERIFICATION_FAILED', 'the registry has no active instance with this key')
}

function sameVerdict(state: EnrolmentState, { answer }: EnrolmentAnswer): EnrolmentState {
  if (state.state === answer) return state
  throw new AmpereError('ALREADY_EXISTS', `the request is ${state.state} already`)
}

/** Removes answers that nobody fetches any more. What is sealed in them is nobody's business for longer. */
async function sweep(
  { tables: { enrolments }, now }: EnrolmentPorts,
  institution: InstitutionId,
): Promise<void> {
  const rows = await enrolments.range(institution, { ...ANSWER_RANGE, limit: 100 })
  for (const { key, value, version } of rows) {
    if (now() - parseStatement(value).at > ANSWER_LIFE_MS)
      await enrolments.swap(institution, key, version, null)
  }
}
