// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '#core/bytes/encoding.ts'
import { asInstanceId } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { refusalOf } from '#core/client/enrol/answer.ts'
import { signRegistryApproval } from '#core/registry/block.ts'
import { parseProposal, signProposal, signWithdrawal } from '#core/registry/proposal.ts'
import * as enrolments from '#functions/registrar/enrolment-operations.ts'
import * as registrations from '#functions/registrar/operations.ts'
import * as proposing from '#functions/registrar/proposal-operations.ts'
import { makeMachine } from '#tests/core/client/enrol/machine.ts'
import { nextBlock, revocationBy } from '#tests/core/server/follow/followed-world.ts'
import { makeMember } from '#tests/core/registry/members.ts'
import { instanceRecords, makeSigner, type TestDeployment } from '#tests/deployment.ts'
import type { Say } from './ask.ts'

/** The registry: a block, proposals, what is read of it, and a machine that asks to be enrolled. */
export async function sayRegistry(world: TestDeployment, say: Say): Promise<void> {
  const { id } = world.institution('hospital-b')
  const enrolled = instanceRecords('hospital-b-3', id, await makeSigner(world.random), ['control'])
  const change = await nextBlock(world, { act: 'enrol', ...enrolled }, 'hospital-b')
  await say(registrations.addRegistryBlock, { body: utf8(change) })
  await sayProposals(world, say)
  await say(registrations.readRegistryBlocks, { query: { from: 1, limit: 1 } })
  await say(registrations.readRecordProof, { path: { key: 'rules' } })
  await say(registrations.readRecordProofAt, { path: { height: '0', key: 'rules' } })
  await say(registrations.readRecordProof, { path: { key: `instance/${asInstanceId('hospital-b-4')}` } })
  const revocation = await revocationBy(world, 'hospital-b', enrolled.key.kid)
  await say(registrations.showRevocation, { body: utf8(revocation) })
  await say(registrations.readRevocations)
  await sayEnrolment(world, say)
}

/** A proposal that is approved by one of two members, and taken back. */
async function sayProposals(world: TestDeployment, say: Say): Promise<void> {
  const newcomer = await makeMember('st-marys', world.random)
  const changes = [{ act: 'admit' as const, institution: newcomer.own[0] }]
  const { root } = world.institution('hospital-b')
  const expires = toTimestamp(world.clock.now + 86_400_000)
  const terms = { registry: world.registryId, after: 0, expires }
  const compact = await signProposal({ ...terms, changes }, world.random, root)
  const { action, id } = parseProposal(compact)
  await say(proposing.addProposal, { body: utf8(compact) })
  const approval = await signRegistryApproval({ ...terms, action }, root)
  await say(proposing.approveProposal, { path: { action }, body: utf8(approval) })
  await say(proposing.readProposals, { query: { from: '' } })
  const withdrawal = await signWithdrawal({ registry: world.registryId, proposal: id }, root)
  await say(proposing.withdrawProposal, { path: { action }, body: utf8(withdrawal) })
}

/** A machine asks hospital A and is refused. */
async function sayEnrolment(world: TestDeployment, say: Say): Promise<void> {
  const { asked, connection } = await makeMachine(world)
  await say(enrolments.askToEnrol, { body: utf8(asked.compact) })
  await say(enrolments.listEnrolments)
  await say(enrolments.listEnrolments, { query: { code: asked.code } })
  const { root, id } = world.institution('hospital-a')
  const refusal = await refusalOf(connection, asked, root, 'not one of ours')
  await say(enrolments.answerEnrolment, { path: { id: asked.id }, body: utf8(refusal) })
  await say(enrolments.readEnrolment, { path: { id: asked.id }, query: { institution: id } })
}
