// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { isViolation } from '#core/block/violation.ts'
import { foldBlocks } from '#core/chain/fold-blocks.ts'
import { readableBy, readersOf, type Link } from '#core/chain/state.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import type { Signer } from '#core/ports/keys.ts'
import { makeKit, next, recoverable, type Kit } from './rules/kit.ts'
import { recovered, requested } from './rules/recover-cases.ts'
import { control, digest, erase, judge, later, newEpoch, recover, seal } from './small-chain.ts'

const HOUR = 3_600_000
let kit: Kit
beforeAll(async () => {
  kit = await makeKit(57)
})

/** The chain after the request was completed, by the new device, 73 hours after it. */
async function completed(
  { parent, body }: Awaited<ReturnType<typeof requested>>,
  from = parent,
): Promise<Link> {
  const keys = { epoch: newEpoch(kit, from.state), packages: digest(kit.random) }
  const draft = await recover(kit, from, [], { ...body, act: 'complete', ...keys })
  return next(kit, from, kit.newDevice, { ...draft, time: later(body.notBefore, 0) })
}

/** What the chain says of a cancellation by `author`. */
async function cancelled({ parent, body }: Awaited<ReturnType<typeof requested>>, author: Signer) {
  const draft = await recover(kit, parent, [], { ...body, act: 'cancel' })
  return judge(kit, parent, await seal(kit, parent, draft, author))
}

describe('a chain that somebody may recover', () => {
  it('gives the keys listed for it every compartment, and an institution among them nothing by that', async () => {
    const { state } = await recoverable(kit)
    expect(readersOf(state)).toContain(kit.sheet.kid)
    expect(readableBy(state, kit.sheet.kid)).toEqual(state.compartments.map(({ id }) => id))
    const recovery = { threshold: 1, members: [kit.member('hospital-b')] }
    expect(readersOf({ ...state, grants: [], recovery })).not.toContain('hospital-b')
  })

  it('has the new controllers, other keys and the new list once the delay has passed', async () => {
    const asked = await requested(kit)
    const before = asked.parent.state
    expect(before.pending).toMatchObject([{ kind: 'recover', identified: true, frozen: [kit.device.kid] }])
    const { state } = await completed(asked)
    expect(state.controllers).toEqual(recovered(kit))
    expect(state.recovery).toBeNull()
    expect(state.epoch.number).toBe(before.epoch.number + 1)
    expect(state.pending).toEqual([])
    expect(readersOf(state)).not.toContain(kit.device.kid)
    expect(readersOf(state)).not.toContain(kit.sheet.kid)
  })

  it('ends every other recovery with the first that is completed, and no erasure', async () => {
    const first = await requested(kit)
    const second = await requested(kit, [kit.sheet, kit.a, kit.newDevice], first.parent)
    const two = await erase(kit, second.parent, [kit.a, kit.a2])
    const erasing = await next(kit, second.parent, kit.a, two)
    const link = await completed(first, erasing)
    expect(link.state.pending.map(({ kind }) => kind)).toEqual(['erase'])
    const again = await recover(kit, link, [], { ...second.body, act: 'complete' })
    const verdict = await judge(kit, link, await seal(kit, link, again, kit.newDevice))
    expect(isViolation(verdict) && verdict.rule).toBe('pending')
  })

  it('is recovered although whoever has the lost device changed all that it could, where nobody vouched', async () => {
    const asked = await requested(kit, [kit.sheet, kit.device, kit.newDevice])
    const controllers = { threshold: 1, members: [kit.deviceMember] }
    const keys = { epoch: newEpoch(kit, asked.parent.state), packages: digest(kit.random) }
    const grab = await control(kit, asked.parent, [kit.device], { controllers, recovery: null, ...keys })
    const grabbed = await next(kit, asked.parent, kit.device, grab)
    expect(grabbed.state.recovery).toBeNull()
    const draft = await recover(kit, grabbed, [], {
      ...asked.body,
      act: 'complete',
      epoch: newEpoch(kit, grabbed.state),
      packages: digest(kit.random),
    })
    const link = await next(kit, grabbed, kit.a, { ...draft, time: later(asked.body.notBefore, 0) })
    expect(link.state.controllers).toEqual(recovered(kit))
  })
})

describe('a recovery that is due', () => {
  it.each([
    ['the device that it removes', () => kit.device],
    ['an institution that has no part in it', () => kit.b],
  ])('is not completed, with keys of its own making, by %s', async (_, author) => {
    const { parent, body } = await requested(kit)
    const keys = { epoch: newEpoch(kit, parent.state), packages: digest(kit.random) }
    const draft = await recover(kit, parent, [], { ...body, act: 'complete', ...keys })
    const due = { ...draft, time: later(body.notBefore, 0) }
    const verdict = await judge(kit, parent, await seal(kit, parent, due, author()))
    expect(isViolation(verdict) && verdict.rule).toBe('recover-author')
  })

  it('is asked for although whoever has the lost device has as many erasures wait as may', async () => {
    let link = await recoverable(kit)
    for (let i = 0; i < 16; i++)
      link = await next(kit, link, kit.device, await erase(kit, link, [kit.device]))
    const asked = await requested(kit, [kit.sheet, kit.a, kit.newDevice], link)
    expect(asked.parent.state.pending.at(-1)).toMatchObject({ kind: 'recover' })
  })
})

describe('a recovery that nobody vouched for', () => {
  it('is cancelled by any controller, also by the device that it would remove', async () => {
    const asked = await requested(kit, [kit.sheet, kit.device, kit.newDevice])
    expect(asked.parent.state.pending).toMatchObject([{ identified: false, frozen: [] }])
    const verdict = await cancelled(asked, kit.device)
    expect(isViolation(verdict) ? verdict.rule : verdict.state.pending).toEqual([])
  })
})

describe('a recovery that somebody who may identify vouched for', () => {
  it('is cancelled by a controller that stays, and not by the device that it removes', async () => {
    const asked = await requested(kit)
    const kept = await cancelled(asked, kit.a)
    expect(isViolation(kept) ? kept.rule : kept.state.pending).toEqual([])
    const refused = await cancelled(asked, kit.device)
    expect(isViolation(refused) && refused.rule).toBe('recover-removed')
  })
})

describe('whoever is to be removed', () => {
  /** What the chain says of a change of the device's, so long after the recovery was asked for. */
  async function changing(hours: number, approvers: readonly Signer[] = []) {
    const { parent } = await requested(kit, ...(approvers.length > 0 ? [approvers] : []))
    const draft = await control({ ...kit, approvalMs: 12 * 24 * HOUR }, parent, [kit.device], { hold: true })
    const time = later(parent.opened.block.time, hours * HOUR)
    const verdict = await judge(kit, parent, await seal(kit, parent, { ...draft, time }, kit.device))
    return isViolation(verdict) ? verdict.rule : 'changed'
  }

  it('changes nothing until seven days after the delay, where somebody vouched for the recovery', async () => {
    expect(await changing(0)).toBe('recover-frozen')
    expect(await changing(73 + 7 * 24 - 0.001)).toBe('recover-frozen')
    expect(await changing(73 + 7 * 24)).toBe('changed')
  })

  it('changes what it likes where nobody vouched', async () => {
    expect(await changing(0, [kit.sheet, kit.device, kit.newDevice])).toBe('changed')
  })

  it('changes what it likes once the recovery is cancelled, as those who stay may at any time', async () => {
    const { parent, body } = await requested(kit)
    const cancel = await recover(kit, parent, [], { ...body, act: 'cancel' })
    const after = await next(kit, parent, kit.a, cancel)
    const held = await control(kit, after, [kit.device], { hold: true })
    expect((await next(kit, after, kit.device, held)).state.hold).toBe(true)
    const stays = await control(kit, parent, [kit.a], { hold: true })
    expect((await next(kit, parent, kit.a, stays)).state.hold).toBe(true)
  })
})

describe('the blocks of a recovery', () => {
  it('say the same whether they are folded together or one by one', async () => {
    const asked = await requested(kit)
    const done = await completed(asked)
    const time = later(done.opened.block.time, HOUR)
    const after = await control(kit, done, [kit.newDevice], { hold: true })
    const last = await next(kit, done, kit.newDevice, { ...after, time })
    const { parent } = asked
    const context = {
      chain: parent.opened.chain,
      viewAt: kit.history.viewAt,
      keyOf: kit.history.keyOf,
      verifiers: createVerifiers(),
    }
    const compacts = [done, last].map(({ opened }) => opened.compact)
    const together = await foldBlocks(parent, compacts, context)
    expect(together.broken).toBeNull()
    const [first, second] = together.links
    const alone = await foldBlocks(first ?? null, compacts.slice(1), context)
    expect(alone.links[0]?.state).toEqual(second?.state)
  })
})
