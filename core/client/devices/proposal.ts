// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { bytesOf, chainId, count, digest, parseWith, timestamp } from '../../bytes/schema.ts'
import { packageSchema } from '../../api/append.ts'
import { controlBody, recoverBody } from '../../block/block.ts'
import type { Step } from '../sign/sign-step.ts'

const approvals = v.pipe(v.array(v.pipe(v.string(), v.maxLength(16 * 1024))), v.maxLength(34))
const place = {
  chain: chainId,
  /** Of the state before: the step counts for no other. */
  seq: count,
  /** Height of the head when it was proposed: it is to be found behind it once it was made. */
  after: count,
  approvals,
}
/** Whoever approves for a device is asked about lists, so that nothing else may be in it. */
const listsOnly = v.check(
  ({ act, grants, hold, access }: v.InferOutput<typeof controlBody>) =>
    act === 'change' &&
    grants.put.length === 0 &&
    grants.remove.length === 0 &&
    hold === null &&
    access === null,
  'changes more than who controls',
)
const isRequest = v.check(
  ({ act }: v.InferOutput<typeof recoverBody>) => act === 'request',
  'asks for no recovery',
)
const proposedStep = v.variant('type', [
  v.strictObject({ ...place, type: v.literal('control'), body: v.pipe(controlBody, listsOnly) }),
  v.strictObject({ ...place, type: v.literal('recover'), body: v.pipe(recoverBody, isRequest) }),
])

/** A step that is to be approved by several parties, on machines of their own, before one of them makes it. */
export type ProposedStep = v.InferOutput<typeof proposedStep>

const proposalSchema = v.strictObject({
  v: v.literal(1),
  type: v.literal('ampere-proposal'),
  registry: digest,
  origin: v.pipe(v.string(), v.url(), v.maxLength(255)),
  /** Until when the approvals count. */
  expires: timestamp,
  /** Of the record, then of its access chain. */
  steps: v.pipe(v.array(proposedStep), v.minLength(1), v.maxLength(2)),
})

/** What passes between the parties: signed approvals and public keys, nothing secret. */
export type Proposal = v.InferOutput<typeof proposalSchema>

const draftSchema = v.strictObject({
  v: v.literal(1),
  type: v.literal('ampere-draft'),
  /** What is submitted beside each step. */
  keys: v.array(v.strictObject({ packages: v.array(packageSchema), labelKey: v.nullable(bytesOf(32)) })),
})

/** What stays with whoever proposed: sealed packages, and label keys, which the home gets. One for each step. */
export type Draft = v.InferOutput<typeof draftSchema>

/** @throws AmpereError REQUEST_MALFORMED */
export function parseProposal(content: unknown): Proposal {
  return parseWith(proposalSchema, content, 'REQUEST_MALFORMED', 'proposal')
}

/** @throws AmpereError STORE_CORRUPT */
export function parseDraft(content: unknown): Draft {
  return parseWith(draftSchema, content, 'STORE_CORRUPT', 'draft')
}

/** A proposed step without its place and its approvals. */
export function stepOf(proposed: ProposedStep): Step {
  return proposed.type === 'control'
    ? { type: 'control', body: proposed.body }
    : { type: 'recover', body: proposed.body }
}
