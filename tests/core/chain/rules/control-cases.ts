// SPDX-License-Identifier: Apache-2.0
import type { ControlBlock, Grant } from '#core/block/block.ts'
import type { CompartmentId, InstitutionId } from '#core/bytes/ids.ts'
import type { Link } from '#core/chain/state.ts'
import { makeSigner } from '#tests/deployment.ts'
import { control, digest, erase, grantAll, later, newEpoch, op, record } from '../small-chain.ts'
import { claimed, type Attempt, type Kit } from './kit.ts'
import { inState, on, type Case } from './place-cases.ts'

type ControlGiven = Partial<Omit<ControlBlock['body'], 'approvals'>>

async function changed(kit: Kit, given: ControlGiven, parent: Link = kit.head): Promise<Attempt> {
  return on(kit, await control(kit, parent, [kit.a], given), kit.a, parent)
}

const put = (kit: Kit, grant: Grant, parent = kit.head) =>
  changed(kit, { grants: { put: [grant], remove: [] }, packages: digest(kit.random) }, parent)
const remove = (kit: Kit, name: string, given: ControlGiven = {}) =>
  changed(kit, { grants: { put: [], remove: [kit.world.institution(name).id] }, ...given })

async function first(kit: Kit, given: ControlGiven, author = kit.a): Promise<Attempt> {
  const opening = { grants: { put: [kit.grantOf('hospital-a')], remove: [] }, packages: digest(kit.random) }
  return on(kit, await control(kit, kit.start, [kit.a], { ...opening, ...given }), author, kit.start)
}

/** Height 1, where nothing but the first control stands. */
const FIRST: readonly Case[] = [
  ['first-control', 'by another than the author of the genesis', (kit) => first(kit, {}, kit.a2)],
  ['first-control', 'without grants', (kit) => first(kit, { grants: { put: [], remove: [] } })],
  ['first-control', 'without packages', (kit) => first(kit, { packages: null })],
  ['first-control', 'a record in its place', (kit) => on(kit, record(kit, kit.start), kit.a, kit.start)],
  [
    'first-control',
    'an erasure in its place',
    async (kit) => on(kit, await erase(kit, kit.start, [kit.a, kit.a2]), kit.a, kit.start),
  ],
  [
    'first-control',
    'a rotation in its place',
    async (kit) => {
      const epoch = newEpoch(kit, kit.start.state)
      const given = { act: 'rotate' as const, epoch, packages: digest(kit.random) }
      return on(kit, await control(kit, kit.start, [], given), kit.a, kit.start)
    },
  ],
]

const GRANTS: readonly Case[] = [
  ['grantee', 'an institution that was removed', (kit) => put(kit, kit.grantOf('hospital-c'))],
  [
    'compartment',
    'a grant for a compartment that the chain does not have',
    (kit) =>
      put(kit, kit.grantOf('hospital-b', { compartments: [op(kit.random) as string as CompartmentId] })),
  ],
  [
    'grant-until',
    'a grant that ends as it begins',
    (kit) => put(kit, kit.grantOf('hospital-b', { until: later(kit.head.opened.block.time, 1000) })),
  ],
  [
    'grant-remove',
    'a grant that is not there',
    (kit) => changed(kit, { grants: { put: [], remove: ['nobody' as InstitutionId] } }),
  ],
  [
    'grant-remove',
    'a grant that is also put',
    (kit) => {
      const { id } = kit.world.institution('hospital-b')
      return changed(kit, { grants: { put: [kit.grantOf('hospital-b')], remove: [id] } })
    },
  ],
  [
    'grants',
    'one grant too many',
    (kit) => {
      const parent = inState(kit, { grants: manyGrants(kit, 256, 1) })
      return put(kit, kit.grantOf('hospital-b', { rights: ['append'] }), parent)
    },
  ],
  [
    'state-size',
    'a state that is too long',
    (kit) => {
      const compartments = Array.from(
        { length: 16 },
        () => op(kit.random) as string as CompartmentId,
      ).toSorted()
      const parent = inState(kit, {
        compartments: compartments.map((id) => ({ id, key: digest(kit.random) })),
        grants: manyGrants(kit, 200, 1).map((grant) => ({ ...grant, compartments })),
      })
      return changed(kit, { hold: true }, parent)
    },
  ],
]

function manyGrants(kit: Kit, count: number, compartments: number): Grant[] {
  const all = grantAll(kit.head.state, 'x' as InstitutionId)
  return Array.from({ length: count }, (_, i) => ({
    ...all,
    institution: `x-${String(i).padStart(3, '0')}` as InstitutionId,
    compartments: all.compartments.slice(0, compartments),
  }))
}

const EPOCHS: readonly Case[] = [
  [
    'packages',
    'a new epoch without packages',
    (kit) => changed(kit, { epoch: newEpoch(kit, kit.head.state) }),
  ],
  [
    'packages',
    'a new reader without a package',
    (kit) => changed(kit, { grants: { put: [kit.grantOf('hospital-b')], remove: [] } }),
  ],
  [
    'epoch-compartments',
    'an epoch that leaves a compartment out',
    (kit) => renewed(kit, (epoch) => ({ ...epoch, compartments: epoch.compartments.slice(1) })),
  ],
  [
    'epoch-key',
    'a key that is used again',
    (kit) => {
      const { block } = kit.start.opened
      const [old] = block.type === 'genesis' ? block.body.compartments : []
      return renewed(kit, (epoch) => ({
        ...epoch,
        compartments: epoch.compartments.map((key) => (key.id === old?.id ? old : key)),
      }))
    },
  ],
  [
    'label-key',
    'a label key that is used again',
    (kit) => renewed(kit, (epoch) => ({ ...epoch, labelKeyHash: kit.head.state.labelKeyHash })),
  ],
  ['epoch-missing', 'a reader removed without a new epoch', (kit) => remove(kit, 'hospital-b')],
  [
    'epoch-missing',
    'a reader that loses a compartment without a new epoch',
    (kit) => {
      const parent = inState(kit, { grants: [kit.grantOf('hospital-b')] })
      const compartments = kit.head.state.compartments.slice(1).map(({ id }) => id)
      return put(kit, kit.grantOf('hospital-b', { compartments }), parent)
    },
  ],
  [
    'epoch-missing',
    'a controller removed without a new epoch',
    async (kit) => {
      const parent = await claimed(kit)
      const controllers = { threshold: 1, members: [kit.member('hospital-a')] }
      return changed(kit, { controllers }, parent)
    },
  ],
]

async function renewed(
  kit: Kit,
  spoil: (epoch: ReturnType<typeof newEpoch>) => ReturnType<typeof newEpoch>,
): Promise<Attempt> {
  return changed(kit, { epoch: spoil(newEpoch(kit, kit.head.state)), packages: digest(kit.random) })
}

async function rotates(kit: Kit, given: ControlGiven, approvers = [] as (typeof kit.a)[]): Promise<Attempt> {
  const epoch = newEpoch(kit, kit.head.state)
  const usual = { act: 'rotate' as const, epoch, packages: digest(kit.random) }
  return on(kit, await control(kit, kit.head, approvers, { ...usual, ...given }))
}

const ROTATIONS: readonly Case[] = [
  ['rotate', 'without a new epoch', (kit) => rotates(kit, { epoch: null })],
  ['rotate', 'that holds', (kit) => rotates(kit, { hold: true })],
  ['rotate', 'that names an access chain', (kit) => rotates(kit, { access: digest(kit.random) as never })],
  ['rotate', 'with approvals', (kit) => rotates(kit, {}, [kit.a])],
  [
    'rotate',
    'that grants',
    (kit) => rotates(kit, { grants: { put: [kit.grantOf('hospital-b')], remove: [] } }),
  ],
  [
    'rotate',
    'that sets controllers',
    (kit) => rotates(kit, { controllers: { threshold: 1, members: [kit.member('hospital-b')] } }),
  ],
  [
    'rotate',
    'that drops a reader who is whitelisted',
    (kit) => rotates(kit, { grants: { put: [], remove: [kit.world.institution('hospital-b').id] } }),
  ],
]

const withDevice = (kit: Kit) => ({ threshold: 1, members: [kit.member('hospital-a'), kit.deviceMember] })

const CONTROLLERS: readonly Case[] = [
  [
    'device-possession',
    'a device that did not approve its own addition',
    (kit) => changed(kit, { controllers: withDevice(kit), packages: digest(kit.random) }),
  ],
  [
    'device-identify',
    'a device for which nobody vouches',
    async (kit) => {
      // A device that controls alone can add another, but not without somebody who may identify.
      const members = withDevice(kit).members.slice(1)
      const parent = inState(kit, { controllers: { threshold: 1, members } })
      const device = await makeSigner(kit.random)
      const other = { ...kit.deviceMember, kid: device.kid, jwk: device.publicKey } as typeof kit.deviceMember
      const controllers = { threshold: 1, members: [...members, other] }
      const draft = await control(kit, parent, [kit.device, device], {
        controllers,
        packages: digest(kit.random),
      })
      return on(kit, draft, kit.device, parent)
    },
  ],
  [
    'access',
    'an access chain of an access chain',
    (kit) => changed(kit, { access: digest(kit.random) as never }, inState(kit, { purpose: 'access' })),
  ],
  [
    'access',
    'an access chain that is named already',
    (kit) =>
      changed(
        kit,
        { access: digest(kit.random) as never },
        inState(kit, { access: digest(kit.random) as never }),
      ),
  ],
]

export const CONTROL_CASES: readonly Case[] = [...FIRST, ...GRANTS, ...EPOCHS, ...ROTATIONS, ...CONTROLLERS]
