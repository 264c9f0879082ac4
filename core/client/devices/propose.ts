// SPDX-License-Identifier: Apache-2.0
import { canonicalize } from '../../bytes/canonical-json.ts'
import type { ChainId } from '../../bytes/ids.ts'
import { toBase64url } from '../../bytes/encoding.ts'
import { timestampMs, toTimestamp, type Timestamp } from '../../bytes/timestamp.ts'
import { actionOf } from '../../block/approval.ts'
import { parseBlock, type ParsedBlock } from '../../block/open-block.ts'
import { RECOVER_DELAY_MS } from '../../chain/rules/recover.ts'
import { AmpereError, isAmpereError } from '../../errors.ts'
import type { Signer } from '../../ports/keys.ts'
import { stepContext, submitAndSync } from '../acts/submit.ts'
import type { Connection } from '../connect.ts'
import type { Replica } from '../read/replica.ts'
import { draftChange, type Change } from '../sign/change-chain.ts'
import { approveStep, signApproved } from '../sign/sign-step.ts'
import { isSameLists, type Lists } from './lists.ts'
import { stepOf, type Draft, type Proposal, type ProposedStep } from './proposal.ts'

/** A proposal and what stays with whoever made it. */
export interface Drafted {
  readonly proposal: Proposal
  readonly draft: Draft
}

/** How the lists of a chain are to be, given how they are. */
export type ListsFrom = (lists: Lists) => Lists

/**
 * Proposes other lists for a record and its access chain, each where they are not so yet. The keys that newcomers get are made
 * here, so this identity must hold those of today.
 * @param expires until when approvals shall count
 * @returns null when there is nothing to do
 * @throws AmpereError FORBIDDEN (it does not hold them)
 */
export async function proposeLists(
  connection: Connection,
  record: ChainId,
  next: ListsFrom,
  expires: Timestamp,
): Promise<Drafted | null> {
  const steps: ProposedStep[] = []
  const keys: Draft['keys'] = []
  for (const replica of await bothChains(connection, record)) {
    const { state } = replica.link
    const lists = next(state)
    if (isSameLists(lists, state)) continue
    const source = { keyring: await connection.keyring(replica) }
    const context = stepContext(connection, [])
    const change = await draftChange(context, replica, changeBetween(state, lists), source)
    const { items, secrets } = change.keys
    steps.push({ ...placeOf(replica), type: 'control', body: change.body })
    keys.push({ packages: [...items], labelKey: secrets && toBase64url(secrets.labelKey) })
  }
  return steps.length === 0 ? null : drafted(connection, steps, keys, expires)
}

function isSame(a: object | null, b: object | null): boolean {
  return canonicalize(a) === canonicalize(b)
}

/** What stays as it is, is left out. */
function changeBetween(before: Lists, { controllers, recovery }: Lists): Change {
  return {
    ...(isSame(controllers, before.controllers) ? {} : { controllers }),
    ...(isSame(recovery, before.recovery) ? {} : { recovery }),
  }
}

/**
 * Proposes to recover a record and its access chain. The delay counts from `expires` on, so that approvals may take until then.
 * @throws AmpereError PRECONDITION_FAILED when nobody may recover it
 */
export async function proposeRecovery(
  connection: Connection,
  record: ChainId,
  next: ListsFrom,
  expires: Timestamp,
): Promise<Drafted> {
  const notBefore = toTimestamp(timestampMs(expires) + RECOVER_DELAY_MS)
  const steps: ProposedStep[] = []
  for (const replica of await bothChains(connection, record)) {
    const { state } = replica.link
    if (state.recovery === null)
      throw new AmpereError('PRECONDITION_FAILED', 'nobody is listed who may recover it')
    const { controllers, recovery } = next(state)
    const body = { controllers, recovery, epoch: null, packages: null, notBefore }
    steps.push({ ...placeOf(replica), type: 'recover', body: { act: 'request', request: null, ...body } })
  }
  const keys = steps.map(() => ({ packages: [], labelKey: null }))
  return drafted(connection, steps, keys, expires)
}

/** Adds the approvals of these signers, each once. Nothing is asked of the home: a device that is not listed yet would get no answer. */
export async function approveProposal(proposal: Proposal, signers: readonly Signer[]): Promise<Proposal> {
  const steps = []
  for (const proposed of proposal.steps) {
    const said = await approveStep({ ...proposed, step: stepOf(proposed) }, signers, proposal.expires)
    const kept = proposed.approvals.filter((jws) => !said.some((own) => header(own) === header(jws)))
    steps.push({ ...proposed, approvals: [...kept, ...said] })
  }
  return { ...proposal, steps }
}

/** Where approvals of one key are made again, the last one counts. */
function header(jws: string): string {
  return jws.slice(0, jws.indexOf('.'))
}

/** What a proposal still lacks, in the words of the rule; null when it can be made. */
export type Lacking = 'threshold' | 'device-possession' | 'device-identify'

/**
 * What is missing of a proposal before it can be made.
 * @throws AmpereError VIOLATION for what no approval would help, PRECONDITION_FAILED when the chain changed since
 */
export async function lackingIn(connection: Connection, { steps }: Proposal): Promise<Lacking | null> {
  for (const step of steps) {
    const replica = await connection.replica(step.chain)
    if ((await madeBefore(connection, replica, step)) !== null) continue
    checkCurrent(replica, step)
    try {
      await signApproved(stepContext(connection, []), replica, stepOf(step), step.approvals)
    } catch (error) {
      const rule = isAmpereError(error, 'VIOLATION')
        ? /^rule (threshold|device-possession|device-identify):/.exec(error.message)?.[1]
        : undefined
      if (rule === undefined) throw error
      return rule as Lacking
    }
  }
  return null
}

/**
 * Makes the steps of a proposal that has all its approvals. Repeating it changes nothing: what was made already is recognised.
 * @returns their blocks, in order
 * @throws AmpereError VIOLATION naming what is missing, PRECONDITION_FAILED when the chain changed since
 */
export async function makeProposed(
  connection: Connection,
  { steps }: Proposal,
  { keys }: Draft,
): Promise<ParsedBlock[]> {
  const made: ParsedBlock[] = []
  for (const [i, step] of steps.entries()) {
    const replica = await connection.replica(step.chain)
    const before = await madeBefore(connection, replica, step)
    if (before) {
      made.push(before)
      continue
    }
    checkCurrent(replica, step)
    const block = await signApproved(stepContext(connection, []), replica, stepOf(step), step.approvals)
    const { packages, labelKey } = keys[i] ?? { packages: [], labelKey: null }
    made.push(
      await submitAndSync(connection, { block: block.compact, row: null, packages, labelKey, object: null }),
    )
  }
  return made
}

/** The block that made a step, if one did. */
async function madeBefore(
  { api }: Connection,
  { chain, link, notes, head }: Replica,
  step: ProposedStep,
): Promise<ParsedBlock | null> {
  if (link.state.seq <= step.seq) return null
  const action = actionOf(step.type, step.body)
  let from = step.after + 1
  while (from <= head.height) {
    const { items } = await api.blocks(chain, from)
    for (const item of items) {
      const block = parseBlock(item)
      const isIt = block.block.type === step.type && actionOf(step.type, block.block.body) === action
      if (isIt && block.id === notes[block.block.height]?.id) return block
    }
    if (items.length === 0) return null
    from += items.length
  }
  return null
}

function checkCurrent({ link }: Replica, { seq }: ProposedStep): void {
  if (link.state.seq !== seq)
    throw new AmpereError('PRECONDITION_FAILED', 'who controls the record changed since this was proposed')
}

/** A record and its access chain, where it has one. */
export async function bothChains(connection: Connection, record: ChainId): Promise<Replica[]> {
  const replica = await connection.replica(record)
  const { access } = replica.link.state
  return access === null ? [replica] : [replica, await connection.replica(access)]
}

function placeOf({ chain, link, head }: Replica) {
  return { chain, seq: link.state.seq, after: head.height, approvals: [] }
}

function drafted(
  { ports: { pins } }: Connection,
  steps: ProposedStep[],
  keys: Draft['keys'],
  expires: Timestamp,
): Drafted {
  const { registry, origin } = pins
  return {
    proposal: { v: 1, type: 'ampere-proposal', registry, origin, expires, steps },
    draft: { v: 1, type: 'ampere-draft', keys },
  }
}
