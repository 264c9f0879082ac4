// SPDX-License-Identifier: Apache-2.0
import type { ControlBlock, Controllers } from '#core/block/block.ts'
import type { Signer } from '#core/ports/keys.ts'
import { control, digest, newEpoch } from '../small-chain.ts'
import { recoverable, type Attempt, type Kit } from './kit.ts'
import { on, type Case } from './place-cases.ts'

type Given = Partial<Omit<ControlBlock['body'], 'approvals'>>

/** A change of who may recover the chain. */
async function listed(
  kit: Kit,
  recovery: Controllers,
  { approvers = [kit.a, kit.sheet], given = {} }: { approvers?: readonly Signer[]; given?: Given } = {},
): Promise<Attempt> {
  const draft = { recovery, packages: digest(kit.random), ...given }
  return on(kit, await control(kit, kit.head, approvers, draft))
}

const twoKeys = (kit: Kit) => ({ ...kit.sheetMember, sealing: kit.newDeviceMember.sealing })

/** Rules of who may recover a chain. */
export const RECOVERY_CASES: readonly Case[] = [
  [
    'device-possession',
    'a sheet that did not approve its place',
    (kit) => listed(kit, { threshold: 1, members: [kit.sheetMember] }, { approvers: [kit.a] }),
  ],
  [
    'device-identify',
    'a sheet that nobody vouches for',
    async (kit) => {
      const parent = await recoverable(kit)
      const recovery = { threshold: 1, members: [kit.newDeviceMember] }
      const given = { recovery, epoch: newEpoch(kit, parent.state), packages: digest(kit.random) }
      return on(kit, await control(kit, parent, [kit.device, kit.newDevice], given), kit.device, parent)
    },
  ],
  [
    'threshold',
    'recovery by more keys than are listed',
    (kit) => listed(kit, { threshold: 2, members: [kit.sheetMember] }),
  ],
  [
    'controller',
    'recovery by an institution that was removed',
    (kit) => listed(kit, { threshold: 1, members: [kit.member('hospital-c')] }, { approvers: [kit.a] }),
  ],
  [
    'device-key',
    'one device that controls and recovers with two sealing keys',
    (kit) =>
      listed(
        kit,
        { threshold: 1, members: [kit.sheetMember] },
        { given: { controllers: { threshold: 1, members: [kit.member('hospital-a'), twoKeys(kit)] } } },
      ),
  ],
  [
    'packages',
    'a key for recovery that gets no package',
    (kit) => listed(kit, { threshold: 1, members: [kit.sheetMember] }, { given: { packages: null } }),
  ],
  [
    'epoch-missing',
    'a key for recovery that is taken away without new keys',
    async (kit) => {
      const parent = await recoverable(kit)
      return on(kit, await control(kit, parent, [kit.device], { recovery: null }), kit.device, parent)
    },
  ],
  [
    'rotate',
    'a rotation that lists who may recover',
    async (kit) => {
      const recovery = { threshold: 1, members: [kit.member('hospital-a')] }
      const epoch = newEpoch(kit, kit.head.state)
      return on(
        kit,
        await control(kit, kit.head, [], { act: 'rotate', epoch, packages: digest(kit.random), recovery }),
      )
    },
  ],
]
