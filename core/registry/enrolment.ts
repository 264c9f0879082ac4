// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { codeOf } from '../bytes/code.ts'
import { fromBase64url } from '../bytes/encoding.ts'
import type { Digest } from '../bytes/ids.ts'
import {
  bytesOf,
  count,
  digest,
  instanceId,
  institutionId,
  kid,
  opId,
  parseWith,
  timestamp,
} from '../bytes/schema.ts'
import { parseJws, signJws, verifyJws, type OpenedJws } from '../block/jws.ts'
import { HPKE_OVERHEAD_BYTES, SEALING_KEY_BYTES } from '../crypto/hpke.ts'
import type { Verifiers } from '../crypto/signature.ts'
import type { Signer } from '../ports/keys.ts'
import { instanceSchema, publicJwk } from './records.ts'

/** Largest request or answer in characters: a request has two public keys, an answer some keys of logs. Part of the format. */
export const MAX_ENROLMENT_CHARACTERS = 16 * 1024

const requestSchema = v.strictObject({
  v: v.literal(1),
  registry: digest,
  institution: institutionId,
  instance: instanceId,
  capabilities: instanceSchema.entries.capabilities,
  jwk: publicJwk,
  /** To what the institution's sealing seed may be sealed; null asks for no reading. */
  sealTo: v.nullable(bytesOf(SEALING_KEY_BYTES)),
  time: timestamp,
  nonce: opId,
})

const answered = {
  v: v.literal(1),
  registry: digest,
  institution: institutionId,
  enrolment: digest,
  kid,
  time: timestamp,
}
const answerSchema = v.variant('answer', [
  v.strictObject({
    ...answered,
    answer: v.literal('approved'),
    /** Height of the registry block that enters the instance. */
    height: count,
    /** Verifier keys of the home's log, as the institution pins them. */
    log: v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(4096))), v.maxLength(2)),
    /** The institution's sealing seed, sealed to the `sealTo` of the request. */
    seed: v.nullable(bytesOf(32 + HPKE_OVERHEAD_BYTES)),
  }),
  v.strictObject({
    ...answered,
    answer: v.literal('refused'),
    reason: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
  }),
])

/** What a new machine asks of an institution: to enter its key as that of an app instance. */
export type EnrolmentRequest = v.InferOutput<typeof requestSchema>
/** What the institution says to it, by its root key. */
export type EnrolmentAnswer = v.InferOutput<typeof answerSchema>

/** A request that was signed by the key that it brings. */
export interface OpenedEnrolment {
  /** SHA-256 of its signing input. */
  readonly id: Digest
  readonly compact: string
  readonly request: EnrolmentRequest
  /** What people compare: the first 60 bits of `id`. */
  readonly code: string
}

/** An answer; whose key signed it, the registry says. */
export interface ParsedAnswer {
  readonly jws: OpenedJws
  readonly answer: EnrolmentAnswer
}

/** Signs a request as `ampere-enrolment+jws`, with the key that is to be entered. */
export function signEnrolment(request: EnrolmentRequest, signer: Signer): Promise<string> {
  return signJws('ampere-enrolment+jws', request, signer)
}

/**
 * Parses a request and checks that whoever made it holds the key.
 * @throws AmpereError JWS_MALFORMED, REQUEST_MALFORMED, KEY_MALFORMED, SIGNATURE_INVALID
 */
export async function openEnrolment(compact: string, verifiers: Verifiers): Promise<OpenedEnrolment> {
  const jws = parseJws(compact, 'ampere-enrolment+jws', MAX_ENROLMENT_CHARACTERS)
  const request = parseWith(requestSchema, jws.payload, 'REQUEST_MALFORMED', 'enrolment request')
  await verifyJws(jws, request.jwk, verifiers)
  return { id: jws.id, compact, request, code: enrolmentCode(jws.id) }
}

/** The code of a request, 12 characters without hyphens. */
export function enrolmentCode(id: Digest): string {
  return codeOf(fromBase64url(id))
}

/** Signs an answer as `ampere-enrolment-answer+jws`, with the institution's root key. */
export function signEnrolmentAnswer(answer: EnrolmentAnswer, root: Signer): Promise<string> {
  return signJws('ampere-enrolment-answer+jws', answer, root)
}

/** @throws AmpereError JWS_MALFORMED, REQUEST_MALFORMED */
export function parseEnrolmentAnswer(compact: string): ParsedAnswer {
  const jws = parseJws(compact, 'ampere-enrolment-answer+jws', MAX_ENROLMENT_CHARACTERS)
  return { jws, answer: parseWith(answerSchema, jws.payload, 'REQUEST_MALFORMED', 'enrolment answer') }
}
