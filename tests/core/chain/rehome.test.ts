// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { isViolation } from '#core/block/violation.ts'
import { foldBlocks } from '#core/chain/fold-blocks.ts'
import type { Link } from '#core/chain/state.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { claimed, makeKit, next, type Kit } from './rules/kit.ts'
import { control, erase, HOME, judge, NEW_HOME, record, rehome, seal } from './small-chain.ts'

let kit: Kit
beforeAll(async () => {
  kit = await makeKit(57)
})

type Step = 'record' | 'hold' | 'rehome'

async function take(parent: Link, step: Step): Promise<Link> {
  const { state } = parent
  if (step === 'record') return next(kit, parent, kit.a, record(kit, parent))
  if (step === 'hold')
    return next(kit, parent, kit.a, await control(kit, parent, [kit.a], { hold: !state.hold }))
  const home = state.home.origin === HOME.origin ? NEW_HOME : HOME
  return next(kit, parent, kit.a, await rehome(kit, parent, [kit.a], { home }))
}

describe('a chain that moves to another home', () => {
  it('is at the home of its last rehome, whatever else happens and however often it moves', async () => {
    const steps = fc.array(fc.constantFrom<Step>('record', 'hold', 'rehome'), { maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(steps, async (taken) => {
        let link = kit.head
        for (const step of taken) {
          const { state } = link
          link = await take(link, step)
          if (step === 'record') expect(link.state).toEqual(state)
          if (step === 'rehome') {
            const other = state.home.origin === HOME.origin ? NEW_HOME : HOME
            expect(link.state).toEqual({ ...state, seq: state.seq + 1, home: other })
          }
          if (step === 'hold') expect(link.state.home).toEqual(state.home)
        }
        const moves = taken.filter((step) => step === 'rehome').length
        expect(link.state.home).toEqual(moves % 2 === 0 ? HOME : NEW_HOME)
        expect(link.state.seq - kit.head.state.seq).toBe(taken.filter((step) => step !== 'record').length)
      }),
      { numRuns: 15 },
    )
  })

  it('folds to the same states in one page and in pages of one block', async () => {
    const links = [kit.start, kit.first, kit.head]
    for (const step of ['rehome', 'record', 'rehome', 'hold'] as const)
      links.push(await take(links.at(-1) ?? kit.head, step))
    const context = {
      chain: kit.start.opened.chain,
      viewAt: kit.history.viewAt,
      keyOf: kit.history.keyOf,
      verifiers: createVerifiers(),
    }
    const whole = await foldBlocks(
      null,
      links.map(({ opened }) => opened.compact),
      context,
    )
    let before: Link | null = null
    const paged: Link[] = []
    for (const { opened } of links) {
      const folded = await foldBlocks(before, [opened.compact], context)
      paged.push(...folded.links)
      before = folded.links[0] ?? null
    }
    expect(whole.broken).toBeNull()
    expect(paged.map(({ state }) => state)).toEqual(whole.links.map(({ state }) => state))
    expect(whole.links.map(({ state }) => state.home.origin)).toEqual(
      [HOME, HOME, HOME, NEW_HOME, NEW_HOME, HOME, HOME].map(({ origin }) => origin),
    )
  })

  it("is moved by the patient's device alone where one controller suffices", async () => {
    const parent = await claimed(kit)
    const compact = await seal(kit, parent, await rehome(kit, parent, [kit.device]), kit.device)
    const link = await judge(kit, parent, compact)
    expect(isViolation(link) ? link : link.state.home).toEqual(NEW_HOME)
  })

  it('takes an erasure that was asked for with it, and settles it at the new home', async () => {
    const request = await erase(kit, kit.head, [kit.a, kit.a2])
    const asked = await next(kit, kit.head, kit.a, request)
    const moved = await take(asked, 'rehome')
    expect(moved.state.pending).toEqual(asked.state.pending)
    const body = {
      ...request.body,
      act: 'cancel' as const,
      request: asked.opened.block.height,
      approvals: [],
    }
    const settled = await next(kit, moved, kit.a, await erase(kit, moved, [], body))
    expect(settled.state).toMatchObject({ pending: [], home: NEW_HOME })
  })

  it('does not take an approval of its move twice', async () => {
    const draft = await rehome(kit, kit.head, [kit.a])
    const moved = await next(kit, kit.head, kit.a, draft)
    const back = await take(moved, 'rehome')
    const again = { ...(await rehome(kit, back, [])), body: draft.body }
    const verdict = await judge(kit, back, await seal(kit, back, again, kit.a))
    expect(isViolation(verdict) ? verdict.rule : null).toBe('approval-seq')
  })
})
