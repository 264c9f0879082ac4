// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from '@jest/globals'
import { failAt, withFaults } from '#adapters/around/faults.ts'
import { asInstitutionId, type Digest } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { MAX_OPEN_PROPOSALS } from '#core/api/limits.ts'
import { approveProposal, completeProposal, proposeChange, withdraw } from '#core/client/membership/act.ts'
import { openProposals } from '#core/client/membership/proposals.ts'
import type { Connection } from '#core/client/connect.ts'
import { parseJws } from '#core/block/jws.ts'
import {
  registryAction,
  signRegistryApproval,
  type MembershipChange,
  type RegistryBlock,
} from '#core/registry/block.ts'
import { signProposal, signWithdrawal } from '#core/registry/proposal.ts'
import { recordOf } from '#core/registry/snapshot.ts'
import { getRecord } from '#core/registry/state.ts'
import { makeMember } from '#tests/core/registry/members.ts'
import { instanceRecords, makeSigner, testDeployment, type TestDeployment } from '#tests/deployment.ts'

const DAY = 86_400_000
let world: TestDeployment
let admit: MembershipChange

const remove = (id: string): MembershipChange => ({ act: 'remove', institution: asInstitutionId(id) })
const root = (id: string) => world.institution(id).root
/** What a member proposes at its own machine. */
const propose = (id: string, change: MembershipChange, forMs = DAY) =>
  proposeChange(world.connect(id), [change], forMs, root(id))
/** A member looks at its own machine, and signs the proposal of an action. */
async function sign(id: string, action: Digest) {
  const connection = world.connect(id)
  const open = (await openProposals(connection)).find(({ proposal }) => proposal.action === action)
  if (!open) throw new Error('the proposal is not open')
  return approveProposal(connection, open, root(id))
}
const shown = async (id = 'c') =>
  (await openProposals(world.connect(id))).map(({ proposal, by, approvals, missing, lacks }) => ({
    action: proposal.action,
    by,
    signed: [...approvals.keys()],
    missing,
    isEnough: lacks === null,
  }))
async function terms(given: object = {}) {
  const link = (await world.home.registry.refresh()).link()
  const membership = link && getRecord(link.state, 'membership')
  if (membership?.kind !== 'membership') throw new Error('no membership record')
  return {
    registry: world.registryId,
    changes: [admit],
    after: membership.height,
    expires: toTimestamp(world.clock.now + DAY),
    ...given,
  }
}
const handIn = async (connection: Connection, given: object, by = root('a')) =>
  connection.api.propose(await signProposal(await terms(given), world.random, by))

beforeEach(async () => {
  world = await testDeployment(['a', 'b', 'c'], { seed: 107 })
  admit = { act: 'admit', institution: (await makeMember('new', world.random)).own[0] }
})

describe('a proposal', () => {
  it('is in force once a majority signed, each at its own machine, and whoever signs last adds the block', async () => {
    const { proposal } = await propose('a', admit)
    expect(await shown()).toEqual([
      { action: proposal.action, by: 'a', signed: [], missing: ['a', 'b', 'c'], isEnough: false },
    ])
    expect(await sign('a', proposal.action)).toMatchObject({ at: 'open' })
    // An enrolment in between makes no signature stale.
    const { id } = world.institution('c')
    const enrolled = instanceRecords('c-9', id, await makeSigner(world.random), ['control'])
    await world.change('c', [{ act: 'enrol', ...enrolled }])
    expect(await sign('b', proposal.action)).toEqual({ at: 'in-force', height: 2 })
    expect(await shown()).toEqual([])
    const view = (await world.home.registry.refresh()).newest()
    expect(recordOf(view, 'institution', 'new')).toMatchObject({ status: 'active' })
  })

  it('is the same when it is made again, and does nothing more when it is signed again', async () => {
    const [first, again] = [await propose('a', admit), await propose('b', admit)]
    expect(again.proposal.id).toBe(first.proposal.id)
    await sign('a', first.proposal.action)
    await sign('a', first.proposal.action)
    const [open] = await openProposals(world.connect('b'))
    if (!open) throw new Error('the proposal is not open')
    await approveProposal(world.connect('b'), open, root('b'))
    expect(await approveProposal(world.connect('b'), open, root('b'))).toEqual({ at: 'in-force', height: 1 })
    expect((await world.home.registry.refresh()).height()).toBe(1)
  })

  it('asks whom it removes for nothing, and does not count it', async () => {
    const { proposal } = await propose('a', remove('c'))
    await sign('c', proposal.action)
    expect(await shown()).toMatchObject([{ signed: ['c'], missing: ['a', 'b'], isEnough: false }])
    await sign('a', proposal.action)
    expect(await sign('b', proposal.action)).toMatchObject({ at: 'in-force' })
  })

  it('is spent when another came into force first', async () => {
    const [one, two] = [await propose('a', admit), await propose('b', remove('c'))]
    await sign('a', one.proposal.action)
    await sign('a', two.proposal.action)
    await sign('b', two.proposal.action)
    expect(await shown('a')).toEqual([])
    await expect(approveProposal(world.connect('b'), one, root('b'))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    await expect(completeProposal(world.connect('b'), one.proposal, root('b'))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })

  it('expires', async () => {
    const { proposal } = await propose('a', admit)
    await sign('a', proposal.action)
    world.clock.now += DAY + 1
    expect(await shown()).toEqual([])
    // What is proposed anew is signed anew.
    const again = await propose('a', admit)
    expect(again.proposal.id).not.toBe(proposal.id)
    expect(await shown()).toMatchObject([{ signed: [], action: proposal.action }])
    await sign('a', proposal.action)
    expect(await sign('b', proposal.action)).toMatchObject({ at: 'in-force' })
  })

  it('is taken back by who made it alone', async () => {
    const { proposal } = await propose('a', admit)
    await sign('b', proposal.action)
    await expect(withdraw(world.connect('b'), proposal, root('b'))).rejects.toMatchObject({
      code: 'FORBIDDEN',
    })
    await withdraw(world.connect('a'), proposal, root('a'))
    await withdraw(world.connect('a'), proposal, root('a'))
    expect(await shown()).toEqual([])
    // Signatures stay what they are.
    await propose('c', admit)
    expect(await shown()).toMatchObject([{ by: 'c', signed: ['b'] }])
  })
})

describe('the home of a registry', () => {
  it('tells apart what is for another registry, spent, expired, for too long, or not by a member', async () => {
    const connection = world.connect('a')
    const other = registryAction('change', { changes: [admit] })
    const refused = (given: object, by = root('a')) =>
      handIn(connection, given, by).then(
        () => null,
        (error: { code: string; message: string }) =>
          `${error.code} ${/rule ([a-z-]+)/.exec(error.message)?.[1] ?? ''}`.trim(),
      )
    expect(await refused({ registry: other })).toBe('VIOLATION proposal-registry')
    expect(await refused({ after: 1 })).toBe('VIOLATION proposal-after')
    expect(await refused({ expires: toTimestamp(world.clock.now - 1) })).toBe('VIOLATION proposal-expired')
    expect(await refused({ expires: toTimestamp(world.clock.now + 30 * DAY + 1) })).toBe(
      'VIOLATION proposal-term',
    )
    expect(await refused({}, world.institution('a').recovery)).toBe('VIOLATION proposal-key')
    expect(await refused({}, world.institution('a').instance)).toBe('VIOLATION proposal-key')
    expect(await refused({}, await makeSigner(world.random))).toBe('SIGNATURE_INVALID')
    expect(await refused({ changes: [remove('nobody')] })).toBe('VIOLATION remove')
    expect(await refused({ changes: [remove('a'), remove('b'), remove('c')] })).toBeNull()
    expect(await refused({})).toBeNull()
    expect(await refused({})).toBe('ALREADY_EXISTS')
  })

  it('tells apart approvals in the same way, and takes those of open proposals only', async () => {
    const connection = world.connect('b')
    const { proposal } = await propose('a', admit)
    const { registry, after, action, expires } = proposal
    const refused = async (given: object, at = action, by = root('b')) => {
      const compact = await signRegistryApproval({ registry, after, action, expires, ...given }, by)
      return connection.api.answerProposal(at, 'approvals', compact).then(
        () => null,
        (error: { code: string; message: string }) =>
          `${error.code} ${/rule ([a-z-]+)/.exec(error.message)?.[1] ?? ''}`.trim(),
      )
    }
    const elsewhere = registryAction('change', { changes: [remove('c')] })
    expect(await refused({ registry: null })).toBe('VIOLATION approval-registry')
    expect(await refused({ after: 1 })).toBe('VIOLATION approval-after')
    expect(await refused({ action: elsewhere })).toBe('VIOLATION approval-action')
    expect(await refused({ action: elsewhere }, elsewhere)).toBe('NOT_FOUND')
    expect(await refused({ expires: toTimestamp(world.clock.now - 1) })).toBe('VIOLATION approval-expired')
    expect(await refused({}, action, world.institution('b').recovery)).toBe('VIOLATION approval-key')
    expect(await refused({})).toBeNull()
    expect(await refused({})).toBeNull()
    expect(await refused({ expires: toTimestamp(world.clock.now + 2 * DAY) })).toBe('ALREADY_EXISTS')
  })

  it('keeps no more proposals of a member than are allowed, those that it took back included', async () => {
    const connection = world.connect('a')
    for (let i = 0; i < MAX_OPEN_PROPOSALS; i++) {
      const newcomer = await makeMember(`n-${i}`, world.random)
      await handIn(connection, { changes: [{ act: 'admit', institution: newcomer.own[0] }] })
    }
    const [first] = await openProposals(connection)
    if (!first) throw new Error('nothing is open')
    await withdraw(connection, first.proposal, root('a'))
    await expect(handIn(connection, {})).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    await handIn(world.connect('b'), {}, root('b'))
  })

  it('takes no withdrawal that is for another registry or of a proposal that is not there', async () => {
    const { proposal } = await propose('a', admit)
    const withdrawal = (said: { registry: Digest; proposal: Digest }) =>
      signWithdrawal(said, root('a')).then((compact) =>
        world.connect('a').api.answerProposal(proposal.action, 'withdrawal', compact),
      )
    await expect(withdrawal({ registry: proposal.id, proposal: proposal.id })).rejects.toMatchObject({
      code: 'VIOLATION',
    })
    await expect(withdrawal({ registry: world.registryId, proposal: proposal.action })).rejects.toMatchObject(
      {
        code: 'NOT_FOUND',
      },
    )
  })
})

describe('a client', () => {
  it('shows nothing that does not verify, whatever the home says', async () => {
    const { proposal } = await propose('a', admit)
    await sign('a', proposal.action)
    const connection = world.connect('b')
    const [item] = await connection.api.proposals()
    if (!item) throw new Error('nothing is open')
    const bent = `${item.proposal.slice(0, -4)}AAAA`
    const stranger = await makeSigner(world.random)
    const { registry, after, action, expires } = proposal
    const forged = await signRegistryApproval({ registry, after, action, expires }, stranger)
    const twice = [...item.approvals, ...item.approvals, forged, 'x', bent]
    const shows = (items: readonly object[]) =>
      openProposals({ ...connection, api: { ...connection.api, proposals: async () => items as never } })
    expect(await shows([{ ...item, proposal: bent }])).toEqual([])
    expect(await shows([{ ...item, proposal: 'x' }])).toEqual([])
    const [open, ...more] = await shows([item, { ...item, approvals: twice }])
    expect([...(open?.approvals.keys() ?? [])]).toEqual(['a'])
    expect(more).toEqual([])
    expect(await shows([{ ...item, approvals: twice }])).toMatchObject([{ lacks: { rule: 'majority' } }])
  })
})

describe.each(['not-applied', 'applied-unknown'] as const)('with any single call that fails %s', (fault) => {
  it('a change of members is proposed, signed and in force once, by giving the commands again', async () => {
    const plan = { next: null as ReturnType<typeof withFaults> | null }
    world = await testDeployment(['a', 'b', 'c'], {
      seed: 108,
      platform: (base) => (plan.next = withFaults(base)).platform,
    })
    const faults = plan.next
    const rules = (await world.home.registry.refresh()).newest().get('rules')
    if (!faults || rules?.kind !== 'rules') throw new Error('nothing fails')
    // Rules that stay as they are: the same action again and again, each time with new signatures.
    const change: MembershipChange = { act: 'rules', rules }
    const again = async <T>(act: () => Promise<T>): Promise<T> => act().catch(act)
    let failed = 0
    for (let k = 0; ; k++) {
      const before = (await world.home.registry.refresh()).height()
      faults.plan(failAt(k, fault))
      const open = await again(() => propose('a', change))
      await again(() => approveProposal(world.connect('a'), open, root('a')))
      const standing = await again(() => approveProposal(world.connect('b'), open, root('b')))
      const isOver = faults.calls().length <= k
      faults.plan(() => null)
      expect(standing).toEqual({ at: 'in-force', height: before + 1 })
      expect((await world.home.registry.refresh()).height()).toBe(before + 1)
      expect(await shown()).toEqual([])
      if (isOver) break
      failed++
    }
    expect(failed).toBeGreaterThan(15)
    const actions = (await world.connect('a').api.registryBlocks(1)).items.map((block) => {
      const { type, body } = parseJws(block, 'ampere-registry+jws').payload as unknown as RegistryBlock
      return registryAction(type, body)
    })
    expect(new Set(actions).size).toBe(1)
  }, 120_000)
})
