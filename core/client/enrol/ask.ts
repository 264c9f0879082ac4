// SPDX-License-Identifier: Apache-2.0
import { toBase64url, utf8 } from '../../bytes/encoding.ts'
import type { Digest, InstanceId, InstitutionId, OpId } from '../../bytes/ids.ts'
import { parseWith } from '../../bytes/schema.ts'
import { toTimestamp } from '../../bytes/timestamp.ts'
import { enrolmentAnswer, enrolmentsAnswer, type EnrolmentState } from '../../api/answers.ts'
import { MAX_ANSWER_BYTES } from '../../api/limits.ts'
import { JOSE_TYPE } from '../../api/bridge/pairing.ts'
import { AmpereError, isAmpereError } from '../../errors.ts'
import type { Now, Random, Signer } from '../../ports/keys.ts'
import { openEnrolment, signEnrolment, type OpenedEnrolment } from '../../registry/enrolment.ts'
import type { InstanceRecord } from '../../registry/records.ts'
import { get, post, readJson } from '../ask-home.ts'
import type { ClientPorts } from '../client.ts'
import type { Connection } from '../connect.ts'

/** What a new machine asks for. */
export interface Wanted {
  readonly registry: Digest
  readonly institution: InstitutionId
  readonly instance: InstanceId
  readonly capabilities: InstanceRecord['capabilities']
  /** The 1,216-byte public key to which the institution's sealing seed may be sealed; null asks for no reading. */
  readonly sealTo: Uint8Array | null
}

/** Signs a request with the key that is to be entered. */
export function makeEnrolment(
  { now, random }: { readonly now: Now; readonly random: Random },
  wanted: Wanted,
  signer: Signer,
): Promise<string> {
  const { sealTo, ...what } = wanted
  return signEnrolment(
    {
      v: 1,
      ...what,
      jwk: signer.publicKey,
      sealTo: sealTo && toBase64url(sealTo),
      time: toTimestamp(now()),
      nonce: toBase64url(random(16)) as OpId,
    },
    signer,
  )
}

const LIMITS = { maxBytes: MAX_ANSWER_BYTES.enrolment, beyond: 'fail' } as const

/** Sends a request, or the same again. @returns how it stands, as the home says; nothing is checked */
export async function sendEnrolment(ports: ClientPorts, compact: string): Promise<EnrolmentState> {
  const posting = { type: JOSE_TYPE, body: utf8(compact) }
  return stateIn(await post(ports, '/v1/enrolments', posting, LIMITS))
}

/** Sends an answer by an institution's root key. */
export async function sendAnswer(ports: ClientPorts, id: Digest, compact: string): Promise<EnrolmentState> {
  const posting = { type: JOSE_TYPE, body: utf8(compact) }
  return stateIn(await post(ports, `/v1/enrolments/${id}/answer`, posting, LIMITS))
}

/** How a request stands, as the home says; one that it does not have any more is sent again. */
export async function enrolmentStanding(
  ports: ClientPorts,
  { id, compact, request }: OpenedEnrolment,
): Promise<EnrolmentState> {
  try {
    return stateIn(await get(ports, `/v1/enrolments/${id}?institution=${request.institution}`, LIMITS))
  } catch (error) {
    if (!isAmpereError(error, 'NOT_FOUND')) throw error
    return sendEnrolment(ports, compact)
  }
}

/** A request as its institution sees it. */
export interface SeenEnrolment extends OpenedEnrolment {
  readonly state: EnrolmentState['state']
}

/**
 * The requests that ask this institution, or those with a code. Each is checked: its signature, whom it asks, its registry.
 * @throws AmpereError UPSTREAM_FAILED where the home shows something else
 */
export async function readEnrolments(
  { ports, sync }: Pick<Connection, 'ports' | 'sync'>,
  { code = null, most }: { readonly code?: string | null; readonly most: number },
): Promise<readonly SeenEnrolment[]> {
  const seen: SeenEnrolment[] = []
  for (let from: string | null = ''; from !== null && seen.length < most;) {
    const query: string = code === null ? (from === '' ? '' : `?from=${from}`) : `?code=${code}`
    const limits = { maxBytes: MAX_ANSWER_BYTES.enrolments, beyond: 'fail' } as const
    const bytes = await get(ports, `/v1/enrolments${query}`, limits)
    const page = parseWith(enrolmentsAnswer, readJson(bytes), 'UPSTREAM_FAILED', 'answer')
    for (const { request: compact, state } of page.items) {
      const opened = await openEnrolment(compact, sync.verifiers)
      const { institution, registry } = opened.request
      if (institution !== ports.identity.institution || registry !== ports.pins.registry)
        throw new AmpereError('UPSTREAM_FAILED', 'the home shows a request to another institution')
      seen.push({ ...opened, state })
    }
    from = page.items.length === 0 ? null : page.next
  }
  return seen
}

function stateIn(bytes: Uint8Array): EnrolmentState {
  return parseWith(enrolmentAnswer, readJson(bytes), 'UPSTREAM_FAILED', 'answer')
}
