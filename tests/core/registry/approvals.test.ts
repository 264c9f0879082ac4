// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { asInstitutionId } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { parseJws } from '#core/block/jws.ts'
import {
  registryAction,
  signRegistryApproval,
  type RegistryBlock,
  type RegistryChange,
} from '#core/registry/block.ts'
import { buildChange } from '#core/registry/build.ts'
import type { RegistryLink } from '#core/registry/reduce.ts'
import { seededRandom } from '#tests/deployment.ts'
import {
  apply,
  approve,
  brokenRule,
  draftChange,
  enrolment,
  EXPIRES,
  found,
  makeMember,
  must,
  seal,
  START,
  type ApprovalTerms,
  type Founded,
} from './members.ts'

let five: Founded
let admit: RegistryChange
const remove = (id: string): RegistryChange => ({ act: 'remove', institution: asInstitutionId(id) })

beforeAll(async () => {
  five = await found(['a', 'b', 'c', 'd', 'e'], seededRandom(11))
  admit = { act: 'admit', institution: (await makeMember('new', five.random)).own[0] }
})

/** The rule that a change by `a` breaks when these members approve it, on these terms. */
async function outcome(
  changes: RegistryChange[],
  approvers: readonly string[],
  terms: ApprovalTerms = {},
  parent: RegistryLink = five.link,
): Promise<string | null> {
  const signed = approvers.map((id) => approve(parent, changes, five.member(id).root, terms))
  const draft = draftChange(parent, changes, await Promise.all(signed))
  return brokenRule(parent, await seal(parent, draft, five.member('a').root))
}

describe('a change of members or rules', () => {
  it('needs more than half of the members', async () => {
    expect(await outcome([admit], [])).toBe('majority')
    expect(await outcome([admit], ['a', 'b'])).toBe('majority')
    expect(await outcome([admit], ['a', 'b', 'c'])).toBeNull()
    expect(await outcome([admit], ['c', 'd', 'e'])).toBeNull()
    const home = must(five.records.find((record) => record.kind === 'deployment')).id
    const rules: RegistryChange = { act: 'rules', rules: { v: 1, kind: 'rules', home, demo: true } }
    expect(await outcome([rules], ['a', 'b'])).toBe('majority')
    expect(await outcome([rules], ['a', 'b', 'c'])).toBeNull()
  })

  it('neither asks nor counts the member that it removes', async () => {
    expect(await outcome([remove('c')], ['a', 'b', 'c'])).toBe('majority')
    expect(await outcome([remove('c')], ['a', 'b', 'd'])).toBeNull()
    const two = await found(['a', 'b'], seededRandom(12))
    const alone = [remove('b')]
    const approval = await approve(two.link, alone, two.member('a').root)
    const compact = await seal(two.link, draftChange(two.link, alone, [approval]), two.member('a').root)
    expect(await brokenRule(two.link, compact)).toBeNull()
  })

  it('cannot remove the last member', async () => {
    const one = await found(['a'], seededRandom(13))
    const changes = [remove('a')]
    const approval = await approve(one.link, changes, one.member('a').root)
    const compact = await seal(one.link, draftChange(one.link, changes, [approval]), one.member('a').root)
    expect(await brokenRule(one.link, compact)).toBe('majority')
  })

  it('counts the members before the block, so that a batch of removals does not shrink its own electorate', async () => {
    expect(await outcome([remove('e'), remove('d'), remove('c')], ['a', 'b', 'c'])).toBe('majority')
    expect(await outcome([remove('e'), remove('d')], ['a', 'b', 'c'])).toBeNull()
  })

  it('counts one approval for each member', async () => {
    expect(await outcome([admit], ['a', 'b', 'b'])).toBe('approval-twice')
    expect(await outcome([admit], ['a', 'b', 'c', 'c'])).toBe('approval-twice')
  })

  it('takes no approval of another registry, state of members or action, or an expired one', async () => {
    const all = ['a', 'b', 'c', 'd', 'e']
    const other = (await found(['a'], seededRandom(14))).link.place.registry
    expect(await outcome([admit], all, { registry: other })).toBe('approval-registry')
    expect(await outcome([admit], all, { registry: null })).toBe('approval-registry')
    expect(await outcome([admit], all, { after: 2 })).toBe('approval-after')
    expect(await outcome([admit], all, { after: 1 })).toBe('approval-after')
    const action = registryAction('change', { changes: [remove('e')] })
    expect(await outcome([admit], all, { action })).toBe('approval-action')
    expect(await outcome([admit], all, { expires: toTimestamp(START - 1) })).toBe('approval-expired')
    expect(await outcome([admit], all, { expires: toTimestamp(START) })).toBeNull()
  })

  it('cannot be made again with the approvals that it was made with', async () => {
    const changes = [remove('e')]
    const signers = ['a', 'b', 'c'].map((id) => five.member(id).root)
    const approvals = await Promise.all(signers.map((signer) => approve(five.link, changes, signer)))
    const author = five.member('a').root
    const removed = await apply(
      five.link,
      await seal(five.link, draftChange(five.link, changes, approvals), author),
    )
    expect(
      await brokenRule(removed, await seal(removed, draftChange(removed, changes, approvals), author)),
    ).toBe('approval-after')
  })

  it('takes approvals by root keys only', async () => {
    const { instance, recovery } = five.member('b')
    for (const signer of [instance, recovery, five.head]) {
      const approval = await approve(five.link, [admit], signer)
      const draft = draftChange(five.link, [admit], [approval])
      const compact = await seal(five.link, draft, five.member('a').root)
      expect(await brokenRule(five.link, compact)).toBe('approval-key')
    }
  })

  it('takes no approval of a member that was removed, nor of a root key that was replaced', async () => {
    const out = [remove('e')]
    const signers = ['a', 'b', 'c'].map((id) => five.member(id).root)
    const without = await apply(
      five.link,
      await buildChange(five.ports, five.link, out, five.member('a').root, signers),
    )
    expect(await outcome([admit], ['a', 'b', 'e'], {}, without)).toBe('approval-key')
    const fresh = (await makeMember('x', five.random)).root
    const key = { ...must(five.member('c').own[1]), jwk: fresh.publicKey, kid: fresh.kid }
    const replace: RegistryChange = { act: 'replace-root', institution: asInstitutionId('c'), root: key }
    const replaced = await apply(
      five.link,
      await buildChange(five.ports, five.link, [replace], five.member('c').recovery),
    )
    expect(await outcome([admit], ['a', 'b', 'c'], {}, replaced)).toBe('approval-key')
    const approvals = await Promise.all(
      [five.member('a').root, five.member('b').root, fresh].map((signer) =>
        approve(replaced, [admit], signer),
      ),
    )
    const draft = draftChange(replaced, [admit], approvals)
    expect(await brokenRule(replaced, await seal(replaced, draft, fresh))).toBeNull()
  })

  it('is judged by every approval that it carries, also one that it does not need', async () => {
    const change = [enrolment('a', 'a-2', (await makeMember('y', five.random)).instance)]
    expect(await outcome(change, [])).toBeNull()
    expect(await outcome(change, ['b'], { after: 7 })).toBe('approval-after')
  })

  it('fails on an approval whose signature is not by a key of the registry', async () => {
    const stranger = (await makeMember('z', five.random)).root
    await expect(
      seal(
        five.link,
        draftChange(five.link, [admit], [await approve(five.link, [admit], stranger)]),
        stranger,
      ),
    ).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' })
  })
})

describe('a genesis', () => {
  const nonce = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'

  async function genesisBy(ids: readonly string[], terms: ApprovalTerms = {}): Promise<string | null> {
    const body = { nonce, records: [...five.records] }
    const action = registryAction('genesis', body)
    const sign = (id: string) =>
      signRegistryApproval(
        { registry: null, after: 0, action, expires: EXPIRES, ...terms },
        five.member(id).root,
      )
    const draft: RegistryBlock = {
      v: 1,
      type: 'genesis',
      height: 0,
      time: toTimestamp(START),
      state: action,
      op: 'AAAAAAAAAAAAAAAAAAAAAA' as RegistryBlock['op'],
      body: { ...body, approvals: await Promise.all(ids.map(sign)) },
    }
    return brokenRule(null, await seal(null, draft, five.member('a').root))
  }

  it('needs the approval of every founder', async () => {
    expect(await genesisBy(['a', 'b', 'c', 'd', 'e'])).toBeNull()
    expect(await genesisBy(['a', 'b', 'c', 'd'])).toBe('founders')
    expect(await genesisBy([])).toBe('founders')
    expect(await genesisBy(['a', 'b', 'c', 'd', 'd'])).toBe('approval-twice')
  })

  it('takes no approval of another action, state of members or registry, or an expired one', async () => {
    const all = ['a', 'b', 'c', 'd', 'e']
    const other = parseJws(five.genesis, 'ampere-registry+jws').id
    expect(await genesisBy(all, { action: other })).toBe('approval-action')
    expect(await genesisBy(all, { after: 1 })).toBe('approval-after')
    expect(await genesisBy(all, { registry: other })).toBe('approval-registry')
    expect(await genesisBy(all, { expires: toTimestamp(START - 1) })).toBe('approval-expired')
  })
})
