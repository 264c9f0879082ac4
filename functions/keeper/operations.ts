// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { blocksAnswer, heldAnswer } from '#core/api/answers.ts'
import { copiesAnswer, copyAnswer, mirroredAnswer } from '#core/api/mirrored.ts'
import { chainId, deploymentId } from '#core/bytes/schema.ts'
import { countParameter, READ_PROBLEMS, SIGNED_PROBLEMS, type Operation } from '../host/operation.ts'
import * as holding from '../reader/hold-operations.ts'
import * as reads from '../reader/operations.ts'

const JSON_TYPE = 'application/json'
const COPY = '/v1/copies/:deployment'
const CHAIN = `${COPY}/chains/:chain`
const deployment = v.pipe(
  deploymentId,
  v.description('The home that was copied, by its id in its own registry.'),
)

export const readMirrored = {
  id: 'readMirrored',
  method: 'GET',
  pattern: '/v1/mirrored/:chain',
  does: 'Says, signed, up to which block this deployment holds a copy of a chain of another home.',
  who: 'Anybody who knows the id of the chain.',
  signed: false,
  notes:
    'Signed when the mirror last found that it has everything, at most an hour before its newest run; nothing is signed for the request. The statement of the home says that the home knows that block.',
  limits: [],
  path: { chain: chainId },
  query: {},
  body: null,
  answers: {
    200: { does: 'The statements of the mirror and of the home.', type: JSON_TYPE, schema: mirroredAnswer },
  },
  problems: ['REQUEST_MALFORMED', 'NOT_FOUND', ...READ_PROBLEMS],
} as const satisfies Operation

const copied = {
  method: 'GET',
  who: 'An active app instance with capability `control` of the institution of the home that was copied, by the copied registry.',
  signed: true,
  limits: ['requestToleranceMs'],
  path: { deployment, chain: chainId },
  query: {},
  body: null,
  problems: ['REQUEST_MALFORMED', 'NOT_FOUND', 'FORBIDDEN', ...SIGNED_PROBLEMS, ...READ_PROBLEMS],
} as const
const from = countParameter(0, Number.MAX_SAFE_INTEGER, 0)

export const listCopies = {
  ...copied,
  id: 'listCopies',
  pattern: '/v1/copies',
  does: 'Says of each home that this deployment mirrors what came of the last runs.',
  who: 'An active app instance with capability `control` of the institution of this deployment.',
  path: {},
  answers: { 200: { does: 'Each home.', type: JSON_TYPE, schema: copiesAnswer } },
} as const satisfies Operation

export const readCopy = {
  ...copied,
  id: 'readCopy',
  pattern: COPY,
  does: 'Says of which home there is a copy, and when its last run ended.',
  path: { deployment },
  answers: { 200: { does: 'The copy.', type: JSON_TYPE, schema: copyAnswer } },
} as const satisfies Operation

export const readCopiedRegistry = {
  ...copied,
  id: 'readCopiedRegistry',
  pattern: `${COPY}/registry/blocks`,
  does: 'Gives a page of the copied registry.',
  limits: [...copied.limits, 'maxPageBlocks'],
  path: { deployment },
  query: { from },
  answers: { 200: { does: 'Blocks of the registry.', type: JSON_TYPE, schema: blocksAnswer } },
} as const satisfies Operation

export const listCopied = {
  ...copied,
  id: 'listCopied',
  pattern: `${COPY}/held`,
  does: 'Gives a page of the chains in a copy.',
  limits: [...copied.limits, 'maxPageHeld'],
  path: { deployment },
  query: holding.listHeld.query,
  answers: {
    200: { does: 'Chains with the height of their newest block.', type: JSON_TYPE, schema: heldAnswer },
  },
} as const satisfies Operation

export const readCopiedBlocks = {
  ...copied,
  id: 'readCopiedBlocks',
  pattern: `${CHAIN}/blocks`,
  does: 'Gives a page of the blocks of a copied chain in order of height.',
  limits: [...copied.limits, 'maxPageBlocks'],
  query: { from },
  answers: reads.readBlocks.answers,
} as const satisfies Operation

export const readCopiedRow = {
  ...copied,
  id: 'readCopiedRow',
  pattern: `${CHAIN}/rows/:name`,
  does: 'Gives the wrapped entry keys of one block, from a copy.',
  path: { ...copied.path, name: reads.readKeyRow.path.name },
  answers: reads.readKeyRow.answers,
  problems: [...copied.problems, 'GONE'],
} as const satisfies Operation

export const readCopiedObject = {
  ...copied,
  id: 'readCopiedObject',
  pattern: `${CHAIN}/objects/:root`,
  does: 'Gives the sealed object of one block, or one range of its bytes, from a copy.',
  notes: reads.readObject.notes,
  path: { ...copied.path, root: reads.readObject.path.root },
  headers: reads.readObject.headers,
  answers: reads.readObject.answers,
  limits: [...copied.limits, 'maxRangeBytes'],
  problems: [...copied.problems, 'GONE', 'RANGE_NOT_SATISFIABLE', 'TOO_LARGE'],
} as const satisfies Operation

export const readCopiedKeys = {
  ...copied,
  id: 'readCopiedKeys',
  pattern: `${CHAIN}/keys/:height{[0-9]+}`,
  does: 'Gives all packages and the label key that one block brought, from a copy.',
  path: { ...copied.path, height: holding.readBlockKeys.path.height },
  answers: holding.readBlockKeys.answers,
} as const satisfies Operation

export const readCopiedErased = {
  ...copied,
  id: 'readCopiedErased',
  pattern: `${CHAIN}/erased`,
  does: 'Gives a page of the copied statements that erasures of a chain were carried out.',
  limits: [...copied.limits, 'maxPageStatements'],
  query: reads.readErased.query,
  answers: reads.readErased.answers,
} as const satisfies Operation

export const readCopiedMoved = {
  ...copied,
  id: 'readCopiedMoved',
  pattern: `${CHAIN}/moved`,
  does: 'Gives a page of the copied receipts of the logs of homes that a chain left.',
  limits: [...copied.limits, 'maxPageReceipts'],
  query: { from },
  answers: holding.readMoved.answers,
} as const satisfies Operation

export const readCopiedWitnessed = {
  ...copied,
  id: 'readCopiedWitnessed',
  pattern: `${COPY}/log/witnessed`,
  does: 'Gives a page of the copied checkpoints that had the quorum of their home, in order of size.',
  limits: [...copied.limits, 'maxPageNotes'],
  path: { deployment },
  query: { from },
  answers: holding.readWitnessed.answers,
} as const satisfies Operation

export const readCopiedLog = {
  ...copied,
  id: 'readCopiedLog',
  pattern: `${COPY}/log/files/:file{.+}`,
  does: 'Gives the newest checkpoint, a tile or a bundle of the copied log.',
  path: {
    deployment,
    file: v.pipe(
      v.string(),
      v.regex(/^(?:checkpoint|tile\/(?:entries|[0-9]{1,2})(?:\/x[0-9]{3})*\/[0-9]{3}(?:\.p\/[0-9]{1,3})?)$/),
      v.description('`checkpoint`, or the path of a tile below the log (c2sp.org/tlog-tiles).'),
    ),
  },
  answers: { 200: { does: 'The bytes.', type: 'application/octet-stream' } },
} as const satisfies Operation
