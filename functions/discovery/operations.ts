// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { homeAnswer, jwksAnswer, liveAnswer, LINKS, readyAnswer } from '#core/api/discovery.ts'
import { LOG_PREFIX } from '#core/api/log.ts'
import { READ_PROBLEMS, type Operation } from '../host/operation.ts'

const open = {
  method: 'GET',
  who: 'Anybody.',
  signed: false,
  limits: [],
  path: {},
  query: {},
  body: null,
} as const

const JSON_TYPE = 'application/json'

export const readLive = {
  ...open,
  id: 'readLive',
  pattern: LINKS.live,
  does: 'Says that the process runs.',
  answers: { 200: { does: 'It runs.', type: JSON_TYPE, schema: liveAnswer } },
  problems: [],
} as const satisfies Operation

export const readReady = {
  ...open,
  id: 'readReady',
  pattern: LINKS.ready,
  does: 'Says whether the home can serve: its registry is read from its store. Also says whether its log is written, and how it stands to its registry.',
  notes: 'Erasures that were ordered before are carried out again before a home answers at all.',
  answers: { 200: { does: 'It can serve.', type: JSON_TYPE, schema: readyAnswer } },
  problems: ['STORE_UNAVAILABLE'],
} as const satisfies Operation

export const readHome = {
  ...open,
  id: 'readHome',
  pattern: '/.well-known/ampere',
  does: 'Says which deployment this is, which registry it serves, its limits and where it is described.',
  answers: { 200: { does: 'The home.', type: JSON_TYPE, schema: homeAnswer } },
  problems: [],
} as const satisfies Operation

export const readKeys = {
  ...open,
  id: 'readKeys',
  pattern: LINKS.jwks,
  does: 'Gives the public keys that sign head and erasure statements of this home.',
  notes:
    'A convenience: a verifier takes keys from a registry that it verified, not from the home that it checks.',
  answers: {
    200: {
      does: 'The keys that the registry names and has not revoked.',
      type: 'application/jwk-set+json',
      schema: jwksAnswer,
    },
  },
  problems: READ_PROBLEMS,
} as const satisfies Operation

export const readDescription = {
  ...open,
  id: 'readDescription',
  pattern: LINKS.openapi,
  does: 'Gives this document.',
  notes: 'It is made from the schemas with which the home validates what it is sent.',
  answers: {
    200: {
      does: 'An OpenAPI 3.1 document.',
      type: JSON_TYPE,
      schema: v.looseObject({ openapi: v.pipe(v.string(), v.regex(/^3\.1\./)) }),
    },
  },
  problems: [],
} as const satisfies Operation

export const readCheckpoint = {
  ...open,
  id: 'readCheckpoint',
  pattern: `${LOG_PREFIX}/checkpoint`,
  does: 'Gives the newest checkpoint of the log (c2sp.org/tlog-checkpoint), with the cosignatures that it has.',
  answers: {
    200: {
      does: 'The signed note.',
      type: 'text/plain; charset=utf-8',
      headers: { ETag: 'Changes with every checkpoint.', 'Cache-Control': 'One second.' },
    },
  },
  problems: ['NOT_FOUND', ...READ_PROBLEMS],
} as const satisfies Operation

export const readLogFile = {
  ...open,
  id: 'readLogFile',
  pattern: `${LOG_PREFIX}/tile/:tile{.+}`,
  does: 'Gives a tile of hashes or a bundle of entries of the log (c2sp.org/tlog-tiles). Never changes.',
  notes:
    'Entry bundles come gzipped where Accept-Encoding allows it and it makes them smaller. Every partial tile of every published size is kept. An entry is 0x01, a label that only holders of the label key can make, and the SHA-256 of a block: nothing of a patient.',
  path: {
    tile: v.pipe(
      v.string(),
      v.regex(/^(?:entries|[0-9]{1,2})(?:\/x[0-9]{3})*\/[0-9]{3}(?:\.p\/[0-9]{1,3})?$/),
      v.description(
        '`L/N`, `entries/N`, and `.p/W` behind it for a partial one; N in groups of three digits.',
      ),
    ),
  },
  headers: {
    'Accept-Encoding': '`gzip` for entry bundles.',
    'If-None-Match': 'The ETag of an earlier answer.',
  },
  answers: {
    200: {
      does: 'The bytes.',
      type: 'application/octet-stream',
      headers: { ETag: 'Stays: a tile never changes.', 'Cache-Control': 'A year.' },
    },
  },
  problems: ['REQUEST_MALFORMED', 'NOT_FOUND', ...READ_PROBLEMS],
} as const satisfies Operation
