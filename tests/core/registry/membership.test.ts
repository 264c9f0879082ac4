// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { asInstitutionId } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import type { Signer } from '#core/ports/keys.ts'
import type { RegistryChange } from '#core/registry/block.ts'
import type { RegistryLink } from '#core/registry/reduce.ts'
import { MAX_APPROVAL_MS } from '#core/registry/rules/approvals.ts'
import { membershipHeight } from '#core/registry/rules/members.ts'
import { WAITING_MS } from '#core/registry/rules/membership.ts'
import { getRecord } from '#core/registry/state.ts'
import { seededRandom } from '#tests/deployment.ts'
import {
  apply,
  approve,
  brokenRule,
  draftChange,
  draw,
  enrolment,
  found,
  makeMember,
  must,
  seal,
  START,
  type ApprovalTerms,
  type Founded,
  type Member,
} from './members.ts'

const HOUR = 3_600_000
const remove = (id: string): RegistryChange => ({ act: 'remove', institution: asInstitutionId(id) })
let world: Founded
let newcomer: Member
let admit: RegistryChange
/** With the newcomer admitted at `START`. */
let admitted: RegistryLink

/** A block at some time after `START`, by the first signer unless it is said by whom, with approvals that are good then. */
async function blockAt(
  parent: RegistryLink,
  changes: RegistryChange[],
  { at = 0, by, votes = [] }: { at?: number; by: Signer; votes?: readonly Signer[] },
  terms: ApprovalTerms = {},
): Promise<string> {
  const expires = toTimestamp(START + at + HOUR)
  const approvals = votes.map((signer) => approve(parent, changes, signer, { expires, ...terms }))
  const draft = draftChange(parent, changes, await Promise.all(approvals))
  return seal(parent, { ...draft, time: toTimestamp(START + at) }, by)
}

beforeAll(async () => {
  world = await found(['a', 'b', 'c'], seededRandom(21), false)
  newcomer = await makeMember('new', world.random)
  admit = { act: 'admit', institution: newcomer.own[0] }
  const [a, b] = [world.member('a').root, world.member('b').root]
  admitted = await apply(world.link, await blockAt(world.link, [admit], { by: a, votes: [a, b] }))
})

describe('an institution that was admitted', () => {
  it('is a member 24 hours after the block that admits it, and a founder at once', () => {
    expect(must(getRecord(admitted.state, 'institution/new'))).toMatchObject({
      status: 'active',
      from: toTimestamp(START + WAITING_MS),
    })
    expect(must(getRecord(admitted.state, 'institution/a'))).toMatchObject({ from: toTimestamp(START) })
  })

  it('is no author until then, by its root key or its recovery key', async () => {
    const enrol = enrolment('new', 'new-1', newcomer.instance)
    const at = (ms: number) => blockAt(admitted, [enrol], { at: ms, by: newcomer.root })
    expect(await brokenRule(admitted, await at(0))).toBe('waiting')
    expect(await brokenRule(admitted, await at(WAITING_MS - 1))).toBe('waiting')
    expect(await brokenRule(admitted, await at(WAITING_MS))).toBeNull()
    const root = { ...must(newcomer.own[1]), ...(await freshKey()) }
    const replace: RegistryChange = { act: 'replace-root', institution: asInstitutionId('new'), root }
    const byRecovery = await blockAt(admitted, [replace], { by: newcomer.recovery })
    expect(await brokenRule(admitted, byRecovery)).toBe('waiting')
  })

  it('neither approves nor is counted until then', async () => {
    const [a, b] = [world.member('a').root, world.member('b').root]
    const vote = (ms: number, votes: readonly Signer[]) =>
      blockAt(admitted, [remove('c')], { at: ms, by: a, votes })
    expect(await brokenRule(admitted, await vote(0, [a, newcomer.root]))).toBe('waiting')
    // Of a and b, who are asked, both.
    expect(await brokenRule(admitted, await vote(0, [a]))).toBe('majority')
    expect(await brokenRule(admitted, await vote(WAITING_MS - 1, [a, b]))).toBeNull()
    // Of a, b and new, two.
    expect(await brokenRule(admitted, await vote(WAITING_MS, [a]))).toBe('majority')
    expect(await brokenRule(admitted, await vote(WAITING_MS, [a, newcomer.root]))).toBeNull()
  })

  it('can be removed while it waits, and is no member afterwards', async () => {
    const [a, b] = [world.member('a').root, world.member('b').root]
    const out = await apply(
      admitted,
      await blockAt(admitted, [remove('new')], { at: HOUR, by: a, votes: [a, b] }),
    )
    const enrol = enrolment('new', 'new-1', newcomer.instance)
    const later = await blockAt(out, [enrol], { at: 2 * WAITING_MS, by: newcomer.root })
    expect(await brokenRule(out, later)).toBe('author')
  })

  it('waits in no demonstration, and not beyond the last time that can be written', async () => {
    const demo = await found(['a'], seededRandom(22))
    const { root } = demo.member('a')
    const at = (ms: number) => blockAt(demo.link, [admit], { at: ms, by: root, votes: [root] })
    const link = await apply(demo.link, await at(HOUR))
    expect(must(getRecord(link.state, 'institution/new'))).toMatchObject({ from: toTimestamp(START + HOUR) })
    const one = await found(['a'], seededRandom(23), false)
    const last = Date.parse('9999-12-31T12:00:00.000Z')
    const terms = { expires: toTimestamp(last) }
    const signer = one.member('a').root
    const late = await blockAt(one.link, [admit], { at: last - START, by: signer, votes: [signer] }, terms)
    expect(must(getRecord((await apply(one.link, late)).state, 'institution/new'))).toMatchObject({
      from: '9999-12-31T23:59:59.999Z',
    })
  })

  it('does not choose since when it is a member', async () => {
    const early = { ...newcomer.own[0], from: toTimestamp(START) } as unknown as (typeof newcomer.own)[0]
    const block = blockAt(world.link, [{ act: 'admit', institution: early }], { by: world.member('a').root })
    await expect(block).rejects.toMatchObject({ code: 'BLOCK_MALFORMED' })
  })
})

describe('an approval', () => {
  it('outlives what institutions change alone, and is spent by the next change of members or rules', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map((id) => world.member(id).root) as [Signer, Signer, Signer]
    const votes = await Promise.all([a, b].map((signer) => approve(world.link, [remove('c')], signer)))
    let link = world.link
    for (const id of ['a-2', 'a-3']) {
      const change = enrolment('a', id, await draw(world.random))
      link = await apply(link, await seal(link, draftChange(link, [change]), a))
    }
    expect(membershipHeight(link.state)).toBe(0)
    expect(await brokenRule(link, await seal(link, draftChange(link, [remove('c')], votes), a))).toBeNull()
    const rules = must(getRecord(link.state, 'rules'))
    if (rules.kind !== 'rules') throw new Error('no rules')
    const other = await blockAt(link, [{ act: 'rules', rules }], { by: c, votes: [b, c] })
    const after = await apply(link, other)
    expect(membershipHeight(after.state)).toBe(3)
    const replayed = await seal(after, draftChange(after, [remove('c')], votes), a)
    expect(await brokenRule(after, replayed)).toBe('approval-after')
  })

  it('expires at most 30 days after the block', async () => {
    const [a, b] = [world.member('a').root, world.member('b').root]
    const given = (ms: number) =>
      blockAt(
        world.link,
        [remove('c')],
        { at: HOUR, by: a, votes: [a, b] },
        { expires: toTimestamp(START + HOUR + ms) },
      )
    expect(await brokenRule(world.link, await given(MAX_APPROVAL_MS))).toBeNull()
    expect(await brokenRule(world.link, await given(MAX_APPROVAL_MS + 1))).toBe('approval-term')
    expect(await brokenRule(world.link, await given(-1))).toBe('approval-expired')
  })
})

describe('a suspended key', () => {
  it('is reinstated by its institution, with its instance', async () => {
    const { root, instance } = world.member('a')
    const suspend: RegistryChange = {
      act: 'revoke',
      kid: instance.kid,
      reason: 'suspended',
      suspectFrom: null,
    }
    const lift: RegistryChange = { act: 'reinstate', kid: instance.kid }
    const suspended = await apply(world.link, await blockAt(world.link, [suspend], { by: root }))
    expect(must(getRecord(suspended.state, 'instance/a-1'))).toMatchObject({ status: 'revoked' })
    const back = await apply(suspended, await blockAt(suspended, [lift], { by: root }))
    expect(getRecord(back.state, 'instance/a-1')).toEqual(getRecord(world.link.state, 'instance/a-1'))
    expect(getRecord(back.state, `key/${instance.kid}`)).toMatchObject({ revoked: null })
  })

  it('is reinstated by nobody else, and no key that is in use, unknown, retired or compromised is', async () => {
    const { root, instance } = world.member('a')
    const lift = (kid = instance.kid): RegistryChange => ({ act: 'reinstate', kid })
    const rule = async (link: RegistryLink, change: RegistryChange, by = root) =>
      brokenRule(link, await blockAt(link, [change], { by }))
    expect(await rule(world.link, lift())).toBe('reinstate')
    expect(await rule(world.link, lift(newcomer.instance.kid))).toBe('reinstate')
    for (const reason of ['retired', 'compromised', 'suspended'] as const) {
      const revoke: RegistryChange = { act: 'revoke', kid: instance.kid, reason, suspectFrom: null }
      const link = await apply(world.link, await blockAt(world.link, [revoke], { by: root }))
      expect(await rule(link, lift(), world.member('b').root)).toBe('reinstate')
      expect(await rule(link, lift())).toBe(reason === 'suspended' ? null : 'reinstate')
    }
  })

  it('leaves an instance with its newer key alone', async () => {
    const { root, instance } = world.member('a')
    const suspend: RegistryChange = {
      act: 'revoke',
      kid: instance.kid,
      reason: 'suspended',
      suspectFrom: null,
    }
    const newer = enrolment('a', 'a-1', await draw(world.random))
    const link = await apply(world.link, await blockAt(world.link, [suspend, newer], { by: root }))
    const back = await apply(
      link,
      await blockAt(link, [{ act: 'reinstate', kid: instance.kid }], { by: root }),
    )
    expect(must(getRecord(back.state, 'instance/a-1'))).toMatchObject({ signing: newer.key.kid })
  })
})

async function freshKey() {
  const { publicKey, kid } = await draw(world.random)
  return { jwk: publicKey, kid }
}
