// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '#core/bytes/encoding.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { signRegistryApproval } from '#core/registry/block.ts'
import { parseProposal, signProposal, signWithdrawal } from '#core/registry/proposal.ts'
import * as registrations from '#functions/registrar/operations.ts'
import { makeMember } from '#tests/core/registry/members.ts'
import type { TestDeployment } from '#tests/deployment.ts'
import type { Say } from './ask.ts'

/** A proposal that is approved by one of two members, and taken back. */
export async function sayProposals(world: TestDeployment, say: Say): Promise<void> {
  const newcomer = await makeMember('st-marys', world.random)
  const changes = [{ act: 'admit' as const, institution: newcomer.own[0] }]
  const { root } = world.institution('hospital-b')
  const expires = toTimestamp(world.clock.now + 86_400_000)
  const terms = { registry: world.registryId, after: 0, expires }
  const compact = await signProposal({ ...terms, changes }, world.random, root)
  const { action, id } = parseProposal(compact)
  await say(registrations.addProposal, { body: utf8(compact) })
  const approval = await signRegistryApproval({ ...terms, action }, root)
  await say(registrations.approveProposal, { path: { action }, body: utf8(approval) })
  await say(registrations.readProposals, { query: { from: '' } })
  const withdrawal = await signWithdrawal({ registry: world.registryId, proposal: id }, root)
  await say(registrations.withdrawProposal, { path: { action }, body: utf8(withdrawal) })
}
