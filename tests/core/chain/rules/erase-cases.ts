// SPDX-License-Identifier: Apache-2.0
import type { EraseBlock } from '#core/block/block.ts'
import type { Link } from '#core/chain/state.ts'
import { eraseAction } from '#core/chain/rules/erase.ts'
import { erase, later, op } from '../small-chain.ts'
import { claimed, next, type Attempt, type Kit } from './kit.ts'
import { inState, on, type Case } from './place-cases.ts'

type EraseGiven = Partial<Omit<EraseBlock['body'], 'approvals'>>

async function erased(
  kit: Kit,
  given: EraseGiven,
  parent = kit.head,
  approvers = [kit.a, kit.a2],
): Promise<Attempt> {
  return on(kit, await erase(kit, parent, approvers, given), kit.a, parent)
}

/** The head after a request, and what settles it. */
export async function requested(kit: Kit): Promise<{ parent: Link; body: EraseBlock['body'] }> {
  const draft = await erase(kit, kit.head, [kit.a, kit.a2])
  const parent = await next(kit, kit.head, kit.a, draft)
  return { parent, body: { ...draft.body, request: parent.opened.block.height, approvals: [] } }
}

async function settled(
  kit: Kit,
  act: 'complete' | 'cancel',
  given: EraseGiven,
  waitMs = 80 * 3_600_000,
  change: Partial<Link['state']> = {},
  approvers = [] as (typeof kit.a)[],
): Promise<Attempt> {
  const { parent: after, body } = await requested(kit)
  const parent = { ...after, state: { ...after.state, ...change } }
  const draft = await erase(kit, parent, approvers, { ...body, act, ...given })
  return on(kit, { ...draft, time: later(parent.opened.block.time, waitMs) }, kit.a, parent)
}

const HOUR = 3_600_000
/** Rules of erasing. */
export const ERASE_CASES: readonly Case[] = [
  ['erase-request', 'a request that names a request', (kit) => erased(kit, { request: 2 })],
  ['erase-request', 'a completion that names none', (kit) => settled(kit, 'complete', { request: null })],
  ['erase-request', 'a cancellation that names none', (kit) => settled(kit, 'cancel', { request: null })],
  [
    'erase-request',
    'a completion with approvals',
    (kit) => settled(kit, 'complete', {}, 80 * HOUR, {}, [kit.a]),
  ],
  [
    'erase-request',
    'a cancellation with approvals',
    (kit) => settled(kit, 'cancel', {}, 80 * HOUR, {}, [kit.a]),
  ],
  ['hold', 'a request during a hold', (kit) => erased(kit, {}, inState(kit, { hold: true }))],
  ['hold', 'a completion during a hold', (kit) => settled(kit, 'complete', {}, 80 * HOUR, { hold: true })],
  ['access-erase', 'single readings', (kit) => erased(kit, {}, inState(kit, { purpose: 'access' }))],
  ['targets', 'entries without targets', (kit) => erased(kit, { targets: [] })],
  ['targets', 'a whole record with targets', (kit) => erased(kit, { scope: 'record' })],
  [
    'targets',
    'a target that is not below the request',
    (kit) => erased(kit, { targets: [{ height: 3, ids: [op(kit.random) as string as never] }] }),
  ],
  ['pending', 'a request too many', (kit) => erased(kit, {}, inState(kit, { pending: manyPending(kit) }))],
  ['pending', 'a completion of no request', (kit) => settled(kit, 'complete', { request: 2 })],
  ['pending', 'a cancellation of no request', (kit) => settled(kit, 'cancel', { request: 2 })],
  [
    'erase-delay',
    'a request that waits too short',
    (kit) => erased(kit, { notBefore: later(kit.head.opened.block.time, 1000 + 72 * HOUR - 1) }),
  ],
  [
    'erase-delay',
    "a request by the patient's device for a time before its own",
    async (kit) => {
      const parent = await claimed(kit)
      const notBefore = later(parent.opened.block.time, 999)
      return on(kit, await erase(kit, parent, [kit.device], { notBefore }), kit.device, parent)
    },
  ],
  [
    'erase-delay',
    'a request at once where a device approves for an institution that must wait',
    async (kit) => {
      const parent = await claimed(kit, 2)
      const notBefore = later(parent.opened.block.time, 1000)
      return on(kit, await erase(kit, parent, [kit.device, kit.a, kit.a2], { notBefore }), kit.device, parent)
    },
  ],
  [
    'erase-action',
    'a completion of something else',
    (kit) => settled(kit, 'complete', { ground: 'legal-duty' }),
  ],
  [
    'erase-action',
    'a cancellation of something else',
    (kit) => settled(kit, 'cancel', { ground: 'legal-duty' }),
  ],
  [
    'erase-action',
    'a completion with another delay',
    (kit) => settled(kit, 'complete', { notBefore: kit.head.opened.block.time }),
  ],
  ['erase-early', 'a completion before its time', (kit) => settled(kit, 'complete', {}, 73 * HOUR - 1)],
]

function manyPending(kit: Kit): Link['state']['pending'] {
  const body = { ground: 'misfiled' as const, scope: 'record' as const, targets: [] }
  const step = { kind: 'erase' as const, action: eraseAction(body), notBefore: kit.head.opened.block.time }
  return Array.from({ length: 16 }, (_, height) => ({ ...step, height }))
}
