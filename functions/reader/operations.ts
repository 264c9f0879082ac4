// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { blocksAnswer, erasedAnswer, headAnswer, packagesAnswer } from '#core/api/answers.ts'
import { MAX_PAGE_BLOCKS } from '#core/api/limits.ts'
import { keyRowSchema } from '#core/block/key-row.ts'
import { blockId, chainId, digest } from '#core/bytes/schema.ts'
import { countParameter, READ_PROBLEMS, SIGNED_PROBLEMS, type Operation } from '../host/operation.ts'

const JSON_TYPE = 'application/json'
const read = {
  method: 'GET',
  who: 'An active app instance of an institution that the chain grants something or that controls it, or a device that controls it. To all others the chain does not exist.',
  signed: true,
  limits: ['requestToleranceMs'],
  path: { chain: chainId },
  query: {},
  body: null,
  problems: ['REQUEST_MALFORMED', 'NOT_FOUND', ...SIGNED_PROBLEMS, ...READ_PROBLEMS],
} as const

export const readHead = {
  ...read,
  id: 'readHead',
  pattern: '/v1/chains/:chain/head',
  does: 'Gives the newest block of a chain with a freshly signed head statement.',
  answers: {
    200: {
      does: 'The block and the statement (ampere-head+jws) that it is the newest.',
      type: JSON_TYPE,
      schema: headAnswer,
    },
  },
  problems: [...read.problems, 'KEY_UNAVAILABLE'],
} as const satisfies Operation

export const readBlocks = {
  ...read,
  id: 'readBlocks',
  pattern: '/v1/chains/:chain/blocks',
  does: 'Gives a page of the blocks of a chain in order of height.',
  limits: [...read.limits, 'maxPageBlocks'],
  query: {
    from: countParameter(0, Number.MAX_SAFE_INTEGER, 0),
    limit: countParameter(1, MAX_PAGE_BLOCKS, MAX_PAGE_BLOCKS),
  },
  answers: {
    200: {
      does: 'Blocks (ampere-block+jws) from height `from` on; ask again from `next` until it is null.',
      type: JSON_TYPE,
      schema: blocksAnswer,
    },
  },
} as const satisfies Operation

export const readKeyRow = {
  ...read,
  id: 'readKeyRow',
  pattern: '/v1/chains/:chain/rows/:name',
  does: 'Gives the wrapped entry keys of one block.',
  path: {
    chain: chainId,
    name: v.pipe(
      v.string(),
      v.regex(/^[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{43}$/),
      v.description('`entries.root`, a full stop, `entries.keys` of the block.'),
    ),
  },
  answers: {
    200: {
      does: 'The key row as canonical JSON; its root is `entries.keys`.',
      type: JSON_TYPE,
      schema: keyRowSchema,
    },
  },
  problems: [...read.problems, 'GONE'],
} as const satisfies Operation

export const readObject = {
  ...read,
  id: 'readObject',
  pattern: '/v1/chains/:chain/objects/:root',
  does: 'Gives the sealed object of one block, or one range of its bytes.',
  notes:
    'One range of the forms `bytes=a-b` and `bytes=a-` is honoured; suffixes, several ranges, other units, malformed ranges and a range whose If-Range is not the ETag are ignored, as RFC 9110 section 14.2 allows, and answered with the whole object. Where `bodies.maxAnswerBytes` of `/.well-known/ampere` is a number, a range is cut to it, as section 15.3.7 allows, and a larger object without a range is TOO_LARGE: ask for ranges of at most `maxRangeBytes`, which every home gives whole. HEAD says that the object is there and ignores Range.',
  path: { chain: chainId, root: v.pipe(digest, v.description('`entries.root` of the block.')) },
  headers: {
    Range: 'One range of bytes; its length is whatever is there.',
    'If-Range': 'The ETag of an earlier answer.',
  },
  answers: {
    200: {
      does: 'The object: descriptors and ciphertexts.',
      type: 'application/octet-stream',
      headers: { ETag: 'The root, quoted: an object never changes.', 'Accept-Ranges': 'bytes' },
    },
    206: {
      does: 'The bytes asked for, fewer where the object ends.',
      type: 'application/octet-stream',
      headers: {
        'Content-Range': 'The range given; the complete length is `*`, the descriptors say it.',
        ETag: 'The root, quoted.',
      },
    },
  },
  limits: [...read.limits, 'maxRangeBytes'],
  problems: [...read.problems, 'GONE', 'RANGE_NOT_SATISFIABLE', 'TOO_LARGE'],
} as const satisfies Operation

const cursor = v.optional(
  v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,512}$/), v.description('`next` of the page before; opaque.')),
)

export const readPackages = {
  ...read,
  id: 'readPackages',
  pattern: '/v1/chains/:chain/packages',
  does: 'Gives a page of the sealed epoch packages of the caller and of the histories that lead to earlier epochs.',
  query: { from: cursor },
  answers: {
    200: {
      does: 'Packages; ask again from `next` until it is null.',
      type: JSON_TYPE,
      schema: packagesAnswer,
    },
  },
} as const satisfies Operation

export const readErased = {
  ...read,
  id: 'readErased',
  pattern: '/v1/chains/:chain/erased',
  does: 'Gives a page of the signed statements, of this home and of other holders, that erasures of a chain were carried out.',
  limits: [...read.limits, 'maxPageStatements'],
  query: { from: cursor },
  answers: {
    200: {
      does: 'Statements (ampere-erased+jws); ask again from `next` until it is null.',
      type: JSON_TYPE,
      schema: erasedAnswer,
    },
  },
} as const satisfies Operation

const RECEIPT_TYPE = 'text/plain; charset=utf-8'
const receipt = {
  200: {
    does: 'The tlog-proof (c2sp.org/tlog-proof), with the label of the leaf as `extra`.',
    type: RECEIPT_TYPE,
    headers: {
      'Ampere-Receipt': '`witnessed` when the checkpoint in it has the quorum of this home, else `logged`.',
    },
  },
} as const
const height = countParameter(0, Number.MAX_SAFE_INTEGER, 0)

export const readReceipt = {
  ...read,
  id: 'readReceipt',
  pattern: '/v1/receipts/:block',
  does: 'Gives the receipt of a block: the proof that it is in the log.',
  notes:
    'A block is logged within 60 s of its acknowledgement; before that the answer is NOT_FOUND. Once the receipt is witnessed it never changes.',
  path: { block: v.pipe(blockId, v.description('Id of the block.')) },
  query: { chain: v.pipe(chainId, v.description('Its chain.')), height },
  answers: receipt,
} as const satisfies Operation

export const readRegistryReceipt = {
  ...read,
  id: 'readRegistryReceipt',
  who: 'Anybody.',
  signed: false,
  pattern: '/v1/registry/:height{[0-9]+}/receipt',
  does: 'Gives the receipt of a block of the registry: the proof that it is in the log of this home.',
  limits: [],
  path: {
    height: v.pipe(v.string(), v.regex(/^(0|[1-9]\d{0,14})$/), v.description('A height of the registry.')),
  },
  answers: receipt,
  problems: ['REQUEST_MALFORMED', 'NOT_FOUND', ...READ_PROBLEMS],
} as const satisfies Operation
