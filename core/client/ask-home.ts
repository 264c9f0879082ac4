// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { mostJsonValues } from '../bytes/json-values.ts'
import { problemAnswer } from '../api/answers.ts'
import { PROBLEMS } from '../api/problems.ts'
import { authorize } from '../api/request.ts'
import { AmpereError, type ErrorCode } from '../errors.ts'
import type { Answer } from '../order/ask.ts'
import { call, HOME, type CallLimits } from './answer.ts'
import type { ClientPorts } from './client.ts'
import { KEPT_AS } from './convict/keep-evidence.ts'

/** Reads by a signed request. @throws AmpereError with the home's own code, or UPSTREAM_FAILED */
export async function get(
  ports: ClientPorts,
  path: string,
  limits: CallLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  return answered(await getAnswer(ports, path, limits))
}

/** As `get`, whatever the answer. @throws AmpereError UPSTREAM_FAILED */
export async function getAnswer(
  ports: ClientPorts,
  path: string,
  limits: CallLimits,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const url = new URL(path, ports.pins.origin)
  const authorization = await signed(ports, 'GET', url, new Uint8Array(0))
  return call(ports, { url, init: { headers: { ...headers, authorization } }, bytes: 0 }, limits)
}

/** How something is posted. */
export interface Posting {
  readonly type: string
  readonly body: Uint8Array<ArrayBuffer>
  /** With an Authorization header; what is posted without one is its own credential. */
  readonly isSigned?: boolean
}

/** @throws AmpereError with the home's own code, or UPSTREAM_FAILED */
export async function post(
  ports: ClientPorts,
  path: string,
  { type, body, isSigned = false }: Posting,
  limits: CallLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(path, ports.pins.origin)
  const authorization = isSigned ? { authorization: await signed(ports, 'POST', url, body) } : {}
  const init = { method: 'POST', headers: { 'content-type': type, ...authorization }, body }
  return answered(await call(ports, { url, init, bytes: body.length }, limits))
}

function signed(ports: ClientPorts, method: 'GET' | 'POST', url: URL, body: Uint8Array): Promise<string> {
  const { now, random, identity } = ports
  return authorize({ method, url, body }, { now, random, signer: identity.signer })
}

/** The bytes of a good answer. @throws AmpereError as the problem document of any other says */
export function answered(answer: Answer, who = HOME): Uint8Array<ArrayBuffer> {
  if (answer.ok) return answer.bytes
  throw problemOf(answer, who)
}

function problemOf({ status, bytes }: Answer, who: string): AmpereError {
  const parsed = v.safeParse(problemAnswer, parsedOrNull(bytes))
  if (!parsed.success) return new AmpereError('UPSTREAM_FAILED', `${who} answered ${status}`)
  const { code, detail } = parsed.output
  // Own keys only: `toString` is in every object, and no code.
  const known = Object.hasOwn(PROBLEMS, code) ? (code as ErrorCode) : 'UPSTREAM_FAILED'
  // Where evidence lies, this installation alone says: people are told to act on it.
  return new AmpereError(known, detail.split(KEPT_AS)[0] ?? '')
}

function parsedOrNull(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return null
  }
}

/** Values of an answer in JSON, at most: pages have hundreds, an audit may have thousands. */
export const MAX_ANSWER_VALUES = 1_000_000

/** @throws AmpereError UPSTREAM_FAILED */
export function readJson(bytes: Uint8Array): unknown {
  if (mostJsonValues(bytes) > MAX_ANSWER_VALUES)
    throw new AmpereError('UPSTREAM_FAILED', `the home answered with more than ${MAX_ANSWER_VALUES} values`)
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch (cause) {
    throw new AmpereError('UPSTREAM_FAILED', 'the home answered with something that is not JSON', { cause })
  }
}
