// SPDX-License-Identifier: Apache-2.0
import type { RecoverBlock } from '#core/block/block.ts'
import type { Link } from '#core/chain/state.ts'
import type { Signer } from '#core/ports/keys.ts'
import { digest, later, newEpoch, recover } from '../small-chain.ts'
import { next, recoverable, type Attempt, type Kit } from './kit.ts'
import { on, type Case } from './place-cases.ts'

type Given = Partial<Omit<RecoverBlock['body'], 'approvals'>>

const HOUR = 3_600_000

/** Who controls the chain after the recovery that these tests ask for: the new device alone. */
export const recovered = (kit: Kit): RecoverBlock['body']['controllers'] => ({
  threshold: 1,
  members: [kit.newDeviceMember, kit.member('hospital-a')],
})

/** What a request of these tests says: by the sheet and the institution, for the new device, which approves as well. */
async function asked(
  kit: Kit,
  given: Given = {},
  { approvers = [kit.sheet, kit.a, kit.newDevice], author = kit.sheet, parent = null as Link | null } = {},
): Promise<Attempt> {
  const start = parent ?? (await recoverable(kit))
  const draft = await recover(kit, start, approvers, { controllers: recovered(kit), ...given })
  return on(kit, draft, author, start)
}

/** The chain after such a request, and its body. `approvers` without one who may identify leave it without a vouching. */
export async function requested(
  kit: Kit,
  approvers: readonly Signer[] = [kit.sheet, kit.a, kit.newDevice],
  parent: Link | null = null,
): Promise<{ parent: Link; body: RecoverBlock['body'] }> {
  const start = parent ?? (await recoverable(kit))
  const draft = await recover(kit, start, approvers, { controllers: recovered(kit) })
  const link = await next(kit, start, kit.sheet, draft)
  return { parent: link, body: { ...draft.body, request: link.opened.block.height, approvals: [] } }
}

async function settled(
  kit: Kit,
  act: 'complete' | 'cancel',
  given: Given = {},
  {
    waitMs = 80 * HOUR,
    author = act === 'complete' ? kit.newDevice : kit.sheet,
    approvers = [],
  }: { readonly waitMs?: number; readonly author?: Signer; readonly approvers?: readonly Signer[] } = {},
): Promise<Attempt> {
  const { parent, body } = await requested(kit)
  const keys = act === 'complete' ? { epoch: newEpoch(kit, parent.state), packages: digest(kit.random) } : {}
  const draft = await recover(kit, parent, approvers, { ...body, act, ...keys, ...given })
  return on(kit, { ...draft, time: later(parent.opened.block.time, waitMs) }, author, parent)
}

function manyPending(kit: Kit, state: Link['state']): Link['state']['pending'] {
  const notBefore = kit.head.opened.block.time
  const step = {
    kind: 'recover' as const,
    action: digest(kit.random),
    notBefore,
    identified: false,
    frozen: [],
  }
  return Array.from({ length: 16 - state.pending.length }, (_, height) => ({ ...step, height }))
}

/** Rules of recovering a chain. */
export const RECOVER_CASES: readonly Case[] = [
  [
    'first-control',
    'a recovery before the first grants',
    (kit) => asked(kit, {}, { parent: kit.start, author: kit.a, approvers: [kit.a, kit.newDevice] }),
  ],
  ['author', 'a recovery that a stranger signs', (kit) => asked(kit, {}, { author: kit.gone })],
  [
    'recover-author',
    'a completion by the device that it removes',
    (kit) => settled(kit, 'complete', {}, { author: kit.device }),
  ],
  [
    'recover-author',
    'a completion by an institution that it does not name',
    (kit) => settled(kit, 'complete', {}, { author: kit.b }),
  ],
  [
    'recover-author',
    'a completion by a sheet that it does not name',
    (kit) => settled(kit, 'complete', {}, { author: kit.sheet }),
  ],
  ['author', 'a cancellation by the sheet', (kit) => settled(kit, 'cancel')],
  ['recover-request', 'a request that names one', (kit) => asked(kit, { request: 2 })],
  ['recover-request', 'a completion that names none', (kit) => settled(kit, 'complete', { request: null })],
  [
    'recover-request',
    'a completion with approvals',
    (kit) => settled(kit, 'complete', {}, { approvers: [kit.a] }),
  ],
  [
    'recover-request',
    'a request that brings packages',
    (kit) => asked(kit, { packages: digest(kit.random) }),
  ],
  [
    'recover-request',
    'a request that brings an epoch',
    (kit) => asked(kit, { epoch: newEpoch(kit, kit.head.state) }),
  ],
  [
    'recover-request',
    'a cancellation that brings packages',
    (kit) => settled(kit, 'cancel', { packages: digest(kit.random) }, { author: kit.device }),
  ],
  [
    'recovery',
    'a recovery where nobody is listed for it',
    (kit) => asked(kit, {}, { parent: kit.head, author: kit.a, approvers: [kit.a, kit.newDevice] }),
  ],
  [
    'pending',
    'a request too many',
    async (kit) => {
      const parent = await recoverable(kit)
      const pending = manyPending(kit, parent.state)
      return asked(kit, {}, { parent: { ...parent, state: { ...parent.state, pending } } })
    },
  ],
  [
    'threshold',
    'a request by the sheet alone',
    (kit) => asked(kit, {}, { approvers: [kit.sheet, kit.newDevice] }),
  ],
  [
    'threshold',
    'a request by the sheet and an institution that is not listed',
    (kit) => asked(kit, {}, { approvers: [kit.sheet, kit.b, kit.newDevice] }),
  ],
  [
    'threshold',
    'a request for more controllers than there would be',
    (kit) => asked(kit, { controllers: { ...recovered(kit), threshold: 3 } }),
  ],
  [
    'threshold',
    'a request for later recovery by more than would be listed',
    (kit) => asked(kit, { recovery: { threshold: 3, members: [kit.sheetMember] } }),
  ],
  [
    'device-possession',
    'a request for a device that did not approve',
    (kit) => asked(kit, {}, { approvers: [kit.sheet, kit.a] }),
  ],
  [
    'recover-device',
    'a request that removes a device and lists it for recovery',
    (kit) => asked(kit, { recovery: { threshold: 1, members: [kit.sheetMember, kit.deviceMember] } }),
  ],
  [
    'recover-delay',
    'a request that waits too short',
    async (kit) => {
      const parent = await recoverable(kit)
      const notBefore = later(parent.opened.block.time, 1000 + 72 * HOUR - 1)
      return asked(kit, { notBefore }, { parent })
    },
  ],
  [
    'recover-delay',
    'a request that waits too long',
    async (kit) => {
      const parent = await recoverable(kit)
      const notBefore = later(parent.opened.block.time, 1000 + 30 * 24 * HOUR + 1)
      return asked(kit, { notBefore }, { parent })
    },
  ],
  ['pending', 'a completion of no request', (kit) => settled(kit, 'complete', { request: 2 })],
  [
    'pending',
    'a completion of an erasure as a recovery',
    async (kit) => {
      const parent = await recoverable(kit)
      const step = {
        kind: 'erase' as const,
        height: 2,
        action: digest(kit.random),
        notBefore: parent.opened.block.time,
      }
      const state = { ...parent.state, pending: [step] }
      const given = {
        act: 'complete' as const,
        request: 2,
        controllers: recovered(kit),
        notBefore: step.notBefore,
      }
      const draft = await recover(kit, { ...parent, state }, [], {
        ...given,
        epoch: newEpoch(kit, state),
        packages: digest(kit.random),
      })
      return on(kit, draft, kit.newDevice, { ...parent, state })
    },
  ],
  [
    'pending',
    'a cancellation of no request',
    (kit) => settled(kit, 'cancel', { request: 2 }, { author: kit.a }),
  ],
  [
    'recover-action',
    'a completion to other controllers',
    (kit) =>
      settled(
        kit,
        'complete',
        { controllers: { threshold: 1, members: [kit.member('hospital-b')] } },
        { author: kit.sheet },
      ),
  ],
  [
    'recover-action',
    'a completion that changes who may recover',
    (kit) => settled(kit, 'complete', { recovery: { threshold: 1, members: [kit.member('hospital-b')] } }),
  ],
  [
    'recover-action',
    'a completion with another delay',
    (kit) => settled(kit, 'complete', { notBefore: kit.head.opened.block.time }),
  ],
  [
    'recover-early',
    'a completion before its time',
    (kit) => settled(kit, 'complete', {}, { waitMs: 73 * HOUR - 1 }),
  ],
  ['epoch-missing', 'a completion without new keys', (kit) => settled(kit, 'complete', { epoch: null })],
  [
    'packages',
    'a completion whose epoch has no packages',
    (kit) => settled(kit, 'complete', { packages: null }),
  ],
  [
    'label-key',
    'a completion with the label key of before',
    async (kit) => {
      const { state } = await recoverable(kit)
      return settled(kit, 'complete', {
        epoch: { ...newEpoch(kit, state), labelKeyHash: state.labelKeyHash },
      })
    },
  ],
  [
    'epoch-compartments',
    'a completion with keys for some compartments',
    async (kit) => {
      const epoch = newEpoch(kit, kit.head.state)
      return settled(kit, 'complete', { epoch: { ...epoch, compartments: epoch.compartments.slice(0, 1) } })
    },
  ],
  [
    'recover-removed',
    'a cancellation by the stolen device, of a request that was vouched for',
    (kit) => settled(kit, 'cancel', {}, { author: kit.device }),
  ],
  [
    'first-control',
    'a cancellation before the first grants',
    (kit) => asked(kit, { act: 'cancel', request: 0 }, { parent: kit.start, author: kit.a, approvers: [] }),
  ],
  [
    'ended',
    'a recovery of a record that was erased',
    async (kit) => {
      const parent = await recoverable(kit)
      return asked(kit, {}, { parent: { ...parent, state: { ...parent.state, ended: true } } })
    },
  ],
]
