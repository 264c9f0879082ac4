// SPDX-License-Identifier: Apache-2.0
import { canonicalize } from '../../bytes/canonical-json.ts'
import { fromBase64url } from '../../bytes/encoding.ts'
import { verifyJws } from '../../block/jws.ts'
import { thumbprint } from '../../crypto/jwk.ts'
import { AmpereError } from '../../errors.ts'
import { parseEnrolmentAnswer, type EnrolmentAnswer, type OpenedEnrolment } from '../../registry/enrolment.ts'
import type { InstanceRecord, InstitutionRecord } from '../../registry/records.ts'
import { activeInstanceOf, activeRootOf, asOf } from '../../registry/snapshot.ts'
import { openSeed } from '../../seal/handover.ts'
import type { Connection } from '../connect.ts'
import { syncRegistry } from '../read/replica.ts'

/** What an institution answered to this machine, once all of it was verified. */
export type Accepted =
  | {
      readonly answer: 'approved'
      readonly instance: InstanceRecord
      readonly height: number
      readonly log: readonly string[]
      /** The institution's sealing seed; null where it was not handed over. */
      readonly seed: Uint8Array | null
    }
  | { readonly answer: 'refused'; readonly reason: string }

/**
 * Verifies an answer as the home gave it. The home is believed in nothing: the answer must be by the institution's root key
 * and about this very request; the registry, from the pinned genesis on, must have this machine's key with what was asked
 * for, no less and no more; and a seed must be the one whose public key the registry lists.
 * @param openWith the seed of the request's `sealTo`
 * @throws AmpereError VERIFICATION_FAILED, SIGNATURE_INVALID, JWS_MALFORMED, REQUEST_MALFORMED, OPEN_FAILED
 */
export async function acceptAnswer(
  connection: Connection,
  asked: OpenedEnrolment,
  compact: string,
  openWith: Uint8Array | null,
): Promise<Accepted> {
  const { sync, ports } = connection
  const { jws, answer } = parseEnrolmentAnswer(compact)
  checkAbout(answer, asked)
  await syncRegistry(sync)
  const newest = asOf(sync.registry.newest(), ports.now())
  const institution = activeRootOf(newest, jws.kid)
  if (institution?.id !== answer.institution)
    throw failed('the answer is not by the root key of the institution')
  await verifyJws(jws, institution.root, sync.verifiers)
  if (answer.answer === 'refused') return { answer: 'refused', reason: answer.reason }
  const instance = activeInstanceOf(newest, answer.kid)?.instance
  if (!instance) throw failed('the registry does not have the key of this machine')
  checkAsked(instance, asked)
  const seed = await seedIn(answer, asked, institution, openWith)
  return { answer: 'approved', instance, height: answer.height, log: answer.log, seed }
}

function checkAbout(answer: EnrolmentAnswer, { id, request }: OpenedEnrolment): void {
  const isAbout =
    answer.enrolment === id &&
    answer.registry === request.registry &&
    answer.institution === request.institution &&
    answer.kid === thumbprint(request.jwk)
  if (!isAbout) throw failed('the answer is about another request')
}

function checkAsked(instance: InstanceRecord, { request }: OpenedEnrolment): void {
  const { id, institution, capabilities } = instance
  const entered = canonicalize({ id, institution, capabilities })
  const wanted = {
    id: request.instance,
    institution: request.institution,
    capabilities: request.capabilities,
  }
  if (entered !== canonicalize(wanted))
    throw failed('the registry has the key of this machine with something else than was asked for')
}

async function seedIn(
  { seed, registry, institution, enrolment }: Extract<EnrolmentAnswer, { answer: 'approved' }>,
  { request }: OpenedEnrolment,
  { sealing }: InstitutionRecord,
  openWith: Uint8Array | null,
): Promise<Uint8Array | null> {
  if (seed === null) return null
  if (request.sealTo === null || openWith === null)
    throw failed('the answer hands over what was not asked for')
  return openSeed({ registry, institution, enrolment }, openWith, fromBase64url(seed), sealing.kid)
}

function failed(what: string): AmpereError {
  return new AmpereError('VERIFICATION_FAILED', what)
}
