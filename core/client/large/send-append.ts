// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { parseWith } from '../../bytes/schema.ts'
import { parseBlock } from '../../block/open-block.ts'
import { appendAnswer, type AppendAnswer } from '../../api/answers.ts'
import { APPEND_TYPE, encodeAppend, type Append } from '../../api/append.ts'
import { MAX_ANSWER_BYTES, MAX_APPEND_BYTES } from '../../api/limits.ts'
import { bodiesAnswer, DIRECT_BYTES, type BodiesAnswer } from '../../api/large/upload.ts'
import { AmpereError, isAmpereError } from '../../errors.ts'
import { answered, post, readJson } from '../ask-home.ts'
import { call } from '../answer.ts'
import type { ClientPorts } from '../client.ts'
import { uploadObject } from './upload-object.ts'

/** Largest description of a home that is read, in bytes. */
const MAX_HOME_BYTES = 64 * 1024
/** Of what a home says of itself only this; older homes say nothing of it. */
const said = v.object({ bodies: v.optional(bodiesAnswer) })
/** An older home: one request is all there is. */
const OLDER: BodiesAnswer = { maxRequestBytes: MAX_APPEND_BYTES, maxAnswerBytes: null, maxUploadBytes: null }
/** Uploads that are remembered, so that a block that has to be signed again does not bring its object again. */
type Uploaded = WeakMap<Uint8Array, string>

/**
 * Sends appends of one client: in one request up to `DIRECT_BYTES`, beyond that by an upload where the home takes some.
 * Each throws AmpereError with the home's own code, UPSTREAM_FAILED, or TOO_LARGE for what the home takes in no way.
 */
export function appendSender(ports: ClientPorts): (append: Append) => Promise<AppendAnswer> {
  const known: { bodies: BodiesAnswer | null } = { bodies: null }
  const uploaded: Uploaded = new WeakMap()
  return async (append) => {
    const { object } = append
    const body = encodeAppend(append)
    if (object === null || body.length <= DIRECT_BYTES) return send(ports, body)
    const bodies = (known.bodies ??= await readBodies(ports))
    if (bodies.maxUploadBytes !== null && object.length <= bodies.maxUploadBytes)
      return sendUploaded(ports, append, object, uploaded)
    if (body.length <= bodies.maxRequestBytes) return send(ports, body)
    const message = `the home takes ${bodies.maxRequestBytes} bytes in one request, and no upload of ${object.length}`
    throw new AmpereError('TOO_LARGE', message)
  }
}

async function send(ports: ClientPorts, body: Uint8Array<ArrayBuffer>): Promise<AppendAnswer> {
  const limits = { maxBytes: MAX_ANSWER_BYTES.statements, beyond: 'fail' } as const
  const answer = await post(ports, '/v1/blocks', { type: APPEND_TYPE, body }, limits)
  return parseWith(appendAnswer, readJson(answer), 'UPSTREAM_FAILED', 'answer')
}

/** What the home says that fits through. @throws AmpereError UPSTREAM_FAILED */
async function readBodies(ports: ClientPorts): Promise<BodiesAnswer> {
  const url = new URL('/.well-known/ampere', ports.pins.origin)
  const limits = { maxBytes: MAX_HOME_BYTES, beyond: 'fail' } as const
  const answer = await call(ports, { url, init: {}, bytes: 0 }, limits)
  if (answer.status === 404) return OLDER
  return parseWith(said, readJson(answered(answer)), 'UPSTREAM_FAILED', 'home').bodies ?? OLDER
}

/** An upload may be over by the time that the block comes, or its bytes be others: then it is brought once more. */
async function sendUploaded(
  ports: ClientPorts,
  append: Append,
  object: Uint8Array,
  uploaded: Uploaded,
): Promise<AppendAnswer> {
  const { chain } = parseBlock(append.block)
  const bring = async (): Promise<string> => {
    const upload = await uploadObject(ports, chain, object)
    uploaded.set(object, upload)
    return upload
  }
  const named = (upload: string) => send(ports, encodeAppend({ ...append, object: null, upload }))
  try {
    return await named(uploaded.get(object) ?? (await bring()))
  } catch (error) {
    if (!isAmpereError(error, 'NOT_FOUND', 'GONE', 'PRECONDITION_FAILED', 'ALREADY_EXISTS')) throw error
    return named(await bring())
  }
}
