// SPDX-License-Identifier: Apache-2.0
import { asDeploymentId } from '#core/bytes/ids.ts'
import type { RehomeBlock } from '#core/block/block.ts'
import { HOME, later, NEW_HOME, rehome } from '../small-chain.ts'
import { LOST_HOME, claimed, spoiledApproval, type Attempt, type Kit } from './kit.ts'
import { inState, on, type Case } from './place-cases.ts'

type Given = Partial<Omit<RehomeBlock['body'], 'approvals'>>

async function moved(
  kit: Kit,
  given: Given,
  { parent = kit.head, approvers = [kit.a], author = kit.a } = {},
): Promise<Attempt> {
  return on(kit, await rehome(kit, parent, approvers, given), author, parent)
}

/** A rehome whose one approval says something else. */
async function approvedOtherwise(kit: Kit, spoil: Parameters<typeof spoiledApproval>[4]): Promise<Attempt> {
  const draft = await rehome(kit, kit.head, [])
  const approvals = [await spoiledApproval(kit.head, 'rehome', draft.body, kit.a, spoil)]
  return on(kit, { ...draft, body: { ...draft.body, approvals } })
}

/** Rules of moving to another home. */
export const REHOME_CASES: readonly Case[] = [
  ['first-control', 'a rehome before the first grants', (kit) => moved(kit, {}, { parent: kit.start })],
  [
    'author',
    'a rehome that a root key signs',
    (kit) => moved(kit, {}, { author: kit.world.institution('hospital-a').root }),
  ],
  ['author', 'a rehome by an institution that was removed', (kit) => moved(kit, {}, { author: kit.gone })],
  ['threshold', 'a rehome that nobody approves', (kit) => moved(kit, {}, { approvers: [] })],
  ['threshold', 'a rehome that another reader approves', (kit) => moved(kit, {}, { approvers: [kit.b] })],
  [
    'threshold',
    'a rehome that an instance without the capability approves',
    (kit) => moved(kit, {}, { approvers: [kit.plain] }),
  ],
  [
    'threshold',
    'a rehome by one of two controllers who must agree',
    async (kit) => moved(kit, {}, { parent: await claimed(kit, 2) }),
  ],
  ['approval-twice', 'one key that approves twice', (kit) => moved(kit, {}, { approvers: [kit.a, kit.a] })],
  ['approval-seq', 'an approval from before another step', (kit) => approvedOtherwise(kit, { seq: 0 })],
  [
    'approval-action',
    'an approval of another move',
    (kit) => approvedOtherwise(kit, { action: kit.head.opened.id as never }),
  ],
  [
    'approval-expired',
    'an approval that has expired',
    (kit) => approvedOtherwise(kit, { expires: later(kit.head.opened.block.time, 999) }),
  ],
  [
    'from-home',
    'a rehome from another deployment',
    (kit) => moved(kit, { from: { ...HOME, deployment: NEW_HOME.deployment } }),
  ],
  [
    'from-home',
    'a rehome from another origin',
    (kit) => moved(kit, { from: { ...HOME, origin: LOST_HOME.origin } }),
  ],
  [
    'from-home',
    'a second rehome from the first home',
    (kit) => moved(kit, { from: HOME }, { parent: inState(kit, { home: NEW_HOME }) }),
  ],
  ['home', 'a rehome to where it is', (kit) => moved(kit, { home: HOME })],
  [
    'home',
    'a rehome to the same origin under another name',
    (kit) => moved(kit, { home: { ...HOME, deployment: NEW_HOME.deployment } }),
  ],
  [
    'home',
    'a rehome to a deployment that the registry does not have',
    (kit) => moved(kit, { home: { ...NEW_HOME, deployment: asDeploymentId('home-9') } }),
  ],
  [
    'home',
    'a rehome to a deployment at another origin',
    (kit) => moved(kit, { home: { ...NEW_HOME, origin: 'http://elsewhere.test' } }),
  ],
  [
    'home',
    'a rehome to a deployment of an institution that was removed',
    (kit) => moved(kit, { home: LOST_HOME }),
  ],
]
