// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { fromUtf8, utf8 } from '../bytes/encoding.ts'
import { concat, uint32 } from '../bytes/frame.ts'
import { bytesOf, compartmentId, count, parseWith } from '../bytes/schema.ts'
import { AmpereError } from '../errors.ts'
import { MAX_PACKAGES } from './limits.ts'
import { uploadId } from './large/upload.ts'

/** Content type of an append: uint32 length, JSON head, then the sealed object's bytes. */
export const APPEND_TYPE = 'application/vnd.ampere.append'

const reader = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,63}$/))

/** One sealed package: for a reader of an epoch, or the history of a compartment. `sealed` is base64url. */
const epochPackage = v.variant('kind', [
  v.strictObject({
    kind: v.literal('reader'),
    epoch: count,
    reader,
    sealed: v.pipe(v.string(), v.maxLength(64 * 1024)),
  }),
  v.strictObject({
    kind: v.literal('history'),
    epoch: count,
    compartment: compartmentId,
    sealed: v.pipe(v.string(), v.maxLength(8 * 1024)),
  }),
])
export type EpochPackage = v.InferOutput<typeof epochPackage>

/** The JSON head of an append; the sealed object follows it as bytes. */
export const appendHead = v.strictObject({
  block: v.pipe(v.string(), v.maxLength(128 * 1024)),
  /** The key row as canonical JSON text; null when the block has no entries. */
  row: v.nullable(v.pipe(v.string(), v.maxLength(4 * 1024 * 1024))),
  packages: v.pipe(v.array(epochPackage), v.maxLength(MAX_PACKAGES)),
  /** The label key of a new epoch, for the log's leaves; never in a block. */
  labelKey: v.nullable(bytesOf(32)),
  /** The upload with the sealed object; then no object follows. */
  upload: v.optional(uploadId),
})

/** What an app instance sends to append one block. */
export interface Append extends v.InferOutput<typeof appendHead> {
  readonly object: Uint8Array | null
}

export const packageSchema = epochPackage

/** The body of an append request. */
export function encodeAppend(append: Append): Uint8Array<ArrayBuffer> {
  const { object, ...head } = append
  const json = utf8(JSON.stringify(head))
  return concat(uint32(json.length), json, object ?? new Uint8Array(0))
}

/** @throws AmpereError REQUEST_MALFORMED, ENCODING_MALFORMED */
export function decodeAppend(body: Uint8Array): Append {
  if (body.length < 4) throw new AmpereError('REQUEST_MALFORMED', 'append: shorter than its length prefix')
  const length = new DataView(body.buffer, body.byteOffset).getUint32(0)
  if (body.length < 4 + length) throw new AmpereError('REQUEST_MALFORMED', 'append: shorter than its head')
  checkShape(body.subarray(4, 4 + length))
  let json: unknown
  try {
    json = JSON.parse(fromUtf8(body.subarray(4, 4 + length)))
  } catch (cause) {
    throw new AmpereError('REQUEST_MALFORMED', 'append: the head is not JSON', { cause })
  }
  const head = parseWith(appendHead, json, 'REQUEST_MALFORMED', 'append')
  const object = body.subarray(4 + length)
  if (head.upload !== undefined && object.length > 0)
    throw new AmpereError('REQUEST_MALFORMED', 'append: an object follows, and an upload is named as well')
  return { ...head, object: object.length === 0 ? null : object }
}

/** Nesting of the head: an object, its packages, each an object. */
const HEAD_DEPTH = 3
/** The head, its list of packages, and each of them. */
const MAX_OPENED = MAX_PACKAGES + 2

/**
 * Refuses deeper nesting and more packages before anything is parsed: millions of brackets would keep a parser busy
 * for seconds, and nobody has signed them yet. Inside strings brackets are text.
 */
function checkShape(json: Uint8Array): void {
  let [depth, opened] = [0, 0]
  let inString = false
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]
    if (inString) {
      if (byte === BACKSLASH) at++
      else if (byte === QUOTE) inString = false
    } else if (byte === QUOTE) inString = true
    else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      depth++
      opened++
    } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) depth--
    if (depth > HEAD_DEPTH)
      throw new AmpereError('REQUEST_MALFORMED', 'append: the head is nested too deeply')
    if (opened > MAX_OPENED)
      throw new AmpereError('REQUEST_MALFORMED', `append: more than ${MAX_PACKAGES} packages`)
  }
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c]
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d]
