// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { UPLOAD_TYPE, uploadAnswer, uploadedAnswer, uploadRequest } from '#core/api/large/upload.ts'
import { READ_PROBLEMS, SIGNED_PROBLEMS, type Operation } from '../host/operation.ts'

export const offerUpload = {
  id: 'offerUpload',
  method: 'POST',
  pattern: '/v1/uploads',
  does: 'Offers a place where the sealed object of a block can be put before the block is appended.',
  who: 'Who may append to the chain: an institution with that right, or a device. To all others the chain does not exist.',
  signed: true,
  notes:
    'For objects that do not fit in one request (`bodies` in `/.well-known/ampere`). Send the PUT as it is described in the answer, with the object as its body and without Authorization; 2xx, 409 and 412 say that it is there. Then append without the object, with `upload` in the head. Safe to repeat: the same object gets the same id, and a new URL, until it is appended. Whoever has the URL can put these very bytes there until `expires`, and nothing else. What is not appended before `appendBefore` is removed.',
  limits: [
    'maxUploadRequestBytes',
    'maxUploads',
    'maxUploadedBytes',
    'uploadUrlMs',
    'uploadLifeMs',
    'requestToleranceMs',
  ],
  path: {},
  query: {},
  body: {
    does: 'JSON: the chain, the length of the object and its SHA-256.',
    type: UPLOAD_TYPE,
    limit: 'maxUploadRequestBytes',
    json: uploadRequest,
  },
  answers: {
    201: { does: 'Where to put it.', type: 'application/json', schema: uploadAnswer },
  },
  problems: [
    'REQUEST_MALFORMED',
    'ENCODING_MALFORMED',
    'FORBIDDEN',
    'NOT_FOUND',
    'LIMIT_EXCEEDED',
    'TOO_LARGE',
    'UNSUPPORTED',
    'UNSUPPORTED_MEDIA_TYPE',
    'STORE_FULL',
    ...SIGNED_PROBLEMS,
    ...READ_PROBLEMS,
  ],
} as const satisfies Operation

const text = (regex: RegExp, does: string) => v.pipe(v.string(), v.regex(regex), v.description(does))
const received = { type: 'application/json', schema: uploadedAnswer }

export const putUpload = {
  id: 'putUpload',
  method: 'PUT',
  pattern: '/v1/uploads/:upload',
  does: 'Takes in the bytes of an upload, where the home does that itself: the URL comes from offerUpload.',
  who: 'Whoever has the URL: its signature says which bytes may be put there until when.',
  signed: false,
  notes: 'Durable when answered. Safe to repeat.',
  limits: ['maxAppendBytes', 'uploadUrlMs'],
  path: {
    upload: text(/^[A-Za-z0-9_-]{1,63}\.[A-Za-z0-9_-]{22}$/, 'Whose upload it is, a full stop, its id.'),
  },
  query: {
    bytes: text(/^[1-9]\d{0,14}$/, 'Length of the body.'),
    sha256: text(/^[A-Za-z0-9_-]{43}$/, 'SHA-256 of the body.'),
    expires: text(/^[1-9]\d{0,15}$/, 'Until when it may begin, in milliseconds since 1970 UTC.'),
    signature: text(/^[A-Za-z0-9_-]{43}$/, 'Of all that by the home.'),
  },
  body: { does: 'The sealed object.', type: 'application/octet-stream', limit: 'maxAppendBytes' },
  answers: {
    200: { does: 'These bytes were there already.', ...received },
    201: { does: 'The bytes are there.', ...received },
  },
  problems: [
    'REQUEST_MALFORMED',
    'FORBIDDEN',
    'GONE',
    'VERIFICATION_FAILED',
    'TOO_LARGE',
    'UNSUPPORTED_MEDIA_TYPE',
    'STORE_FULL',
    ...READ_PROBLEMS,
  ],
} as const satisfies Operation
