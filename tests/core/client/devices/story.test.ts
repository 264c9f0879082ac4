// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { shareRecord } from '#core/client/acts/share-record.ts'
import { openClaim, signClaim } from '#core/client/devices/claim.ts'
import { isSameLists, withController } from '#core/client/devices/lists.ts'
import { parseProposal } from '#core/client/devices/proposal.ts'
import {
  approveProposal,
  bothChains,
  lackingIn,
  makeProposed,
  proposeLists,
} from '#core/client/devices/propose.ts'
import { recoveriesOf, settleRecovery } from '#core/client/devices/settle.ts'
import { entry, findings } from '#tests/fault/each-call.ts'
import { testDeployment } from '#tests/deployment.ts'
import { addSheet, as, askedBy, claim, HOUR, settingOf, soon, texts } from './setting.ts'

describe('a patient with devices of their own', () => {
  it('claims a record, loses the phone, and reads on with another one after sheet and custodian recovered it', async () => {
    const s = await settingOf(await testDeployment())
    const { world, desk, record, phone, next, sheet } = s
    await claim(s)
    await addSheet(s)
    expect(await texts(as(phone, desk), record)).toEqual(['before'])
    const { own, whole, draft } = await askedBy(s)
    expect(await lackingIn(desk, own)).toBe('threshold')
    expect(await lackingIn(desk, whole)).toBeNull()
    await makeProposed(desk, whole, draft)
    await expect(settleRecovery(as(sheet, desk), record, 'complete', null)).rejects.toMatchObject({
      message: expect.stringContaining('recover-early'),
    })
    await expect(settleRecovery(as(phone, desk), record, 'cancel', null)).rejects.toMatchObject({
      message: expect.stringContaining('recover-removed'),
    })
    world.clock.now += 74 * HOUR
    expect(await settleRecovery(as(sheet, desk), record, 'complete', null)).toHaveLength(2)
    expect(await settleRecovery(as(sheet, desk), record, 'complete', null)).toEqual([])
    await desk.append(record, [entry('after')])
    expect(await texts(as(next, desk), record)).toEqual(['before', 'after'])
    const [main, access] = await bothChains(as(next, desk), record)
    expect(main && access && isSameLists(main.link.state, access.link.state)).toBe(true)
    await expect(as(phone, desk).read(record)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    expect(await findings(world)).toEqual([])
  })

  it('is cancelled on both chains, and leaves nothing to be completed', async () => {
    const s = await settingOf(await testDeployment())
    await claim(s)
    await addSheet(s)
    const { whole, draft } = await askedBy(s)
    await makeProposed(s.desk, whole, draft)
    await settleRecovery(s.desk, s.record, 'cancel', null)
    expect((await bothChains(s.desk, s.record)).flatMap(recoveriesOf)).toEqual([])
    expect(await settleRecovery(s.desk, s.record, 'complete', null)).toEqual([])
    await expect(settleRecovery(s.desk, s.record, 'complete', 3)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('does not stand in the way of a grant while the access chain does not list it yet', async () => {
    const s = await settingOf(await testDeployment())
    const drafted = await proposeLists(
      s.desk,
      s.record,
      (lists) => withController(lists, s.phone.member),
      soon(s.world),
    )
    const [first] = drafted?.proposal.steps ?? []
    if (!drafted || !first) throw new Error('nothing was proposed')
    const half = { ...drafted.proposal, steps: [first] }
    await makeProposed(s.desk, await approveProposal(half, [s.instance, s.phone.signer]), drafted.draft)
    await shareRecord(s.desk, s.record, {
      institution: s.world.institution('hospital-b').id,
      rights: ['read'],
    })
    const [main, access] = await bothChains(s.desk, s.record)
    expect(main && access && isSameLists(main.link.state, access.link.state)).toBe(false)
    await claim(s)
    const [mainNow, accessNow] = await bothChains(s.desk, s.record)
    expect(mainNow && accessNow && isSameLists(mainNow.link.state, accessNow.link.state)).toBe(true)
  })
})

describe('a proposal', () => {
  it('counts for the state that it was made for, and for no other', async () => {
    const s = await settingOf(await testDeployment())
    const propose = () =>
      proposeLists(s.desk, s.record, (lists) => withController(lists, s.phone.member), soon(s.world))
    const [old, other] = [await propose(), await propose()]
    if (!old || !other) throw new Error('nothing was proposed')
    const signers = [s.instance, s.phone.signer]
    await makeProposed(s.desk, await approveProposal(other.proposal, signers), other.draft)
    const late = await approveProposal(old.proposal, signers)
    await expect(makeProposed(s.desk, late, old.draft)).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
    expect(await propose()).toBeNull()
  })

  it('lacks the device itself, whoever else approves it, and who vouches for it', async () => {
    const s = await settingOf(await testDeployment())
    const drafted = await proposeLists(
      s.desk,
      s.record,
      (lists) => withController(lists, s.phone.member),
      soon(s.world),
    )
    if (!drafted) throw new Error('nothing was proposed')
    const { proposal, draft } = drafted
    expect(await lackingIn(s.desk, proposal)).toBe('threshold')
    const stranger = await approveProposal(proposal, [s.instance, s.next.signer])
    expect(await lackingIn(s.desk, stranger)).toBe('device-possession')
    await expect(makeProposed(s.desk, stranger, draft)).rejects.toMatchObject({ code: 'VIOLATION' })
  })

  it('that changes more than lists is not read', async () => {
    const s = await settingOf(await testDeployment())
    const drafted = await proposeLists(
      s.desk,
      s.record,
      (lists) => withController(lists, s.phone.member),
      soon(s.world),
    )
    const [step] = drafted?.proposal.steps ?? []
    const spoilt = { ...drafted?.proposal, steps: [{ ...step, body: { ...step?.body, hold: true } }] }
    expect(() => parseProposal(JSON.parse(JSON.stringify(spoilt)))).toThrow('bad member')
  })
})

describe('a claim', () => {
  it('is bound to the key that signed it, its chain and its code', async () => {
    const s = await settingOf(await testDeployment())
    const { registry } = s.desk.ports.pins
    const said = { registry, chain: s.record, code: 'ABCD', time: soon(s.world) }
    const compact = await signClaim(s.phone, said)
    expect(await openClaim(compact)).toMatchObject({ ...said, member: s.phone.member })
    const stolen = await signClaim({ ...s.next, member: s.phone.member }, said)
    await expect(openClaim(stolen)).rejects.toMatchObject({ code: 'REQUEST_MALFORMED' })
    const [head, , signature] = compact.split('.')
    const [, payload] = (await signClaim(s.phone, { ...said, code: 'WXYZ' })).split('.')
    await expect(openClaim([head, payload, signature].join('.'))).rejects.toMatchObject({
      code: 'SIGNATURE_INVALID',
    })
  })
})
