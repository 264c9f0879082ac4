// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import type { Digest } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { select } from '#core/ports/needs.ts'
import { signRegistryApproval } from '#core/registry/block.ts'
import { parseProposal, signProposal } from '#core/registry/proposal.ts'
import { addApproval, addProposal } from '#core/server/proposals/propose.ts'
import { proposalRow, storeStatement } from '#core/server/proposals/store.ts'
import { REGISTRAR_NEEDS } from '#core/server/registrar.ts'
import { makeMember } from '#tests/core/registry/members.ts'
import { testDeployment } from '#tests/deployment.ts'

const DAY_MS = 86_400_000

async function proposing() {
  const world = await testDeployment()
  const ports = await select(world.platform, REGISTRAR_NEEDS)
  const { root, id } = world.institution('hospital-b')
  const propose = async (lifeMs: number) => {
    const newcomer = await makeMember('st-marys', world.random)
    const changes = [{ act: 'admit' as const, institution: newcomer.own[0] }]
    const expires = toTimestamp(world.clock.now + lifeMs)
    return signProposal({ registry: world.registryId, after: 0, expires, changes }, world.random, root)
  }
  return { world, ports, root, id, propose }
}

describe('a member whose statements expire at once', () => {
  it('does not fill the list with proposals', async () => {
    const { world, ports, id, propose } = await proposing()
    const first = await propose(1)
    await addProposal(ports, world.home, first)
    const { action } = parseProposal(first)
    for (let i = 1; i < 255; i++)
      await storeStatement(ports, 0, proposalRow(action, 'proposal', id, `more-${i}` as Digest), first)
    world.clock.now += 10
    await addProposal(ports, world.home, await propose(1))
    world.clock.now += 10
    await expect(addProposal(ports, world.home, await propose(1))).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
    })
  })

  it('does not fill a proposal with approvals', async () => {
    const { world, ports, root, propose } = await proposing()
    const proposal = await propose(DAY_MS)
    const action = await addProposal(ports, world.home, proposal)
    const approve = async () => {
      const terms = { registry: world.registryId, after: 0, action }
      const expires = toTimestamp(world.clock.now)
      const compact = await signRegistryApproval({ ...terms, expires }, root)
      await addApproval(ports, world.home, action, compact)
      world.clock.now += 1
    }
    for (let i = 0; i < 16; i++) await approve()
    await expect(approve()).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
  })
})
