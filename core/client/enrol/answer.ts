// SPDX-License-Identifier: Apache-2.0
import { fromBase64url, toBase64url } from '../../bytes/encoding.ts'
import { isSameCode } from '../../bytes/code.ts'
import { toTimestamp, type Timestamp } from '../../bytes/timestamp.ts'
import { thumbprint } from '../../crypto/jwk.ts'
import { AmpereError } from '../../errors.ts'
import type { Signer } from '../../ports/keys.ts'
import { keyRecord } from '../../registry/build.ts'
import type { RegistryChange } from '../../registry/block.ts'
import { signEnrolmentAnswer, type OpenedEnrolment } from '../../registry/enrolment.ts'
import { sealSeed } from '../../seal/handover.ts'
import type { Connection } from '../connect.ts'
import { readEnrolments, sendAnswer, type SeenEnrolment } from './ask.ts'

/** More than one is one too many; this many shown is enough to say so. */
const MOST_WITH_A_CODE = 4

/** The one request that has this whole code, 12 characters. @throws AmpereError as `onlyWithCode` */
export async function enrolmentByCode(connection: Connection, code: string): Promise<SeenEnrolment> {
  return onlyWithCode(await readEnrolments(connection, { code, most: MOST_WITH_A_CODE }), code)
}

/**
 * The one of these that has this whole code.
 * @throws AmpereError NOT_FOUND for none; VERIFICATION_FAILED for several: somebody made one to fit
 */
export function onlyWithCode(shown: readonly SeenEnrolment[], code: string): SeenEnrolment {
  const fitting = new Map(
    shown.flatMap((one) => (isSameCode(one.code, code) ? [[one.id, one] as const] : [])),
  )
  const [only] = fitting.values()
  if (!only) throw new AmpereError('NOT_FOUND', 'no request has this code')
  if (fitting.size === 1) return only
  throw new AmpereError(
    'VERIFICATION_FAILED',
    `${fitting.size} requests have this code: somebody made one to fit, and none is approved`,
  )
}

/** The change of the registry that approves a request. `expires` is the end of the instance, at most 398 days ahead. */
export function approvingChange(
  { request }: OpenedEnrolment,
  expires: Timestamp,
): Extract<RegistryChange, { act: 'enrol' }> {
  const { institution, instance: id, capabilities, jwk } = request
  const key = keyRecord(jwk, 'sign', { institution, instance: id })
  return {
    act: 'enrol',
    instance: {
      v: 1,
      kind: 'instance',
      id,
      institution,
      status: 'active',
      capabilities,
      signing: key.kid,
      expires,
    },
    key,
  }
}

/**
 * Tells a machine whose key the registry has that it was approved, and hands over what it needs.
 * @param given the institution's sealing seed, or null where the machine is not to read; and the log keys that it shall pin
 */
export async function sendApproval(
  { ports, sync }: Connection,
  { id, request }: OpenedEnrolment,
  root: Signer,
  given: { readonly seed: Uint8Array | null; readonly log: readonly string[] },
): Promise<void> {
  const { registry, institution } = request
  const kid = thumbprint(request.jwk)
  const height = sync.registry.since(`key/${kid}`)
  if (height === null) throw new AmpereError('NOT_FOUND', 'the registry does not have the key')
  const sealTo = request.sealTo
  const sealed =
    given.seed && sealTo !== null
      ? await sealSeed({ registry, institution, enrolment: id }, fromBase64url(sealTo), given.seed)
      : null
  const answer = {
    v: 1 as const,
    registry,
    institution,
    enrolment: id,
    kid,
    time: toTimestamp(ports.now()),
    answer: 'approved' as const,
    height,
    log: [...given.log],
    seed: sealed && toBase64url(sealed),
  }
  await sendAnswer(ports, id, await signEnrolmentAnswer(answer, root))
}

/** Tells a machine that it was refused, and why. */
export async function sendRefusal(
  connection: Connection,
  opened: OpenedEnrolment,
  root: Signer,
  reason: string,
): Promise<void> {
  await sendAnswer(connection.ports, opened.id, await refusalOf(connection, opened, root, reason))
}

/** A refusal by the institution's root key. */
export function refusalOf(
  { ports }: Connection,
  { id, request }: OpenedEnrolment,
  root: Signer,
  reason: string,
): Promise<string> {
  const { registry, institution, jwk } = request
  const about = { v: 1 as const, registry, institution, enrolment: id, kid: thumbprint(jwk) }
  return signEnrolmentAnswer({ ...about, time: toTimestamp(ports.now()), answer: 'refused', reason }, root)
}
