// SPDX-License-Identifier: Apache-2.0
import type { Kid } from '../../bytes/ids.ts'
import { canonicalize } from '../../bytes/canonical-json.ts'
import { MAX_CONTROLLERS, type Controllers } from '../../block/block.ts'
import { devicesOf, memberName, type ControlState } from '../../chain/state.ts'
import { AmpereError } from '../../errors.ts'
import type { DeviceMember } from './keys.ts'

/** Who controls a chain, and who may recover it. */
export type Lists = Pick<ControlState, 'controllers' | 'recovery'>

/** How many of those who may recover a record have to ask, unless somebody says otherwise. */
const USUAL_THRESHOLD = 2

/** The same controllers and this device. */
export function withController({ controllers, recovery }: Lists, device: DeviceMember): Lists {
  const members = [...without(controllers.members, device.kid), device]
  return { controllers: limited({ ...controllers, members }), recovery }
}

/** The same lists with a sheet that may recover the record; without a list two of it and the controllers may. */
export function withSheet({ controllers, recovery }: Lists, sheet: DeviceMember): Lists {
  const before = recovery ?? { threshold: USUAL_THRESHOLD, members: controllers.members }
  return {
    controllers,
    recovery: limited({ ...before, members: [...without(before.members, sheet.kid), sheet] }),
  }
}

/**
 * The lists after some devices were lost and another one took their place; a list without it keeps it.
 * @throws AmpereError NOT_FOUND when none of them is listed
 */
export function afterLoss(
  { controllers, recovery }: Lists,
  lost: readonly Kid[],
  next: DeviceMember,
): { readonly controllers: Controllers; readonly recovery: Controllers | null } {
  const isListed = [...devicesOf(controllers), ...devicesOf(recovery)].some(({ kid }) => lost.includes(kid))
  if (lost.length > 0 && !isListed)
    throw new AmpereError('NOT_FOUND', 'no device that is listed was named as lost')
  const stay = (list: Controllers) =>
    list.members.filter((member) => member.kind !== 'device' || !lost.includes(member.kid))
  const replaced = (list: Controllers) =>
    limited({ ...list, members: [...without(stay(list), next.kid), next] })
  return { controllers: replaced(controllers), recovery: recovery && replaced(recovery) }
}

/** The controllers of a record and of its access chain, and those who may recover either, are the same. */
export function isSameLists(a: Lists, b: Lists): boolean {
  return canonicalize(shown(a)) === canonicalize(shown(b))
}

function shown({ controllers, recovery }: Lists) {
  return { controllers, recovery }
}

function without(members: Controllers['members'], kid: Kid): Controllers['members'] {
  return members.filter((member) => memberName(member) !== kid)
}

function limited(list: Controllers): Controllers {
  if (list.members.length > MAX_CONTROLLERS)
    throw new AmpereError('TOO_LARGE', `a list has at most ${MAX_CONTROLLERS} members`)
  return list
}
