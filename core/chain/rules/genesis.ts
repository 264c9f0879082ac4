// SPDX-License-Identifier: Apache-2.0
import { fromBase64url } from '../../bytes/encoding.ts'
import { actionOf } from '../../block/approval.ts'
import type { Controllers, EpochKey, GenesisBlock } from '../../block/block.ts'
import type { OpenedBlock } from '../../block/open-block.ts'
import { violation, type Violation } from '../../block/violation.ts'
import { digestOf } from '../../crypto/hash.ts'
import { thumbprint } from '../../crypto/jwk.ts'
import { recordOf, type RegistryView } from '../../registry/snapshot.ts'
import { devicesOf, type ControlState } from '../state.ts'
import { authorOf, checkApprovals, isVouchedFor } from './authority.ts'

/** Judges a genesis: its author may create chains, and its controllers agree to it. */
export function applyGenesis(
  block: GenesisBlock,
  opened: OpenedBlock,
  records: RegistryView,
): ControlState | Violation {
  const { body } = block
  const author = authorOf(opened.kid, null, records)
  if (author?.kind !== 'instance') return violation('author', 'the author is not an active instance')
  if (!author.capabilities.includes('create'))
    return violation('capability', 'the author may not create chains')
  if (body.registry !== records.registry) {
    return violation('registry', 'the genesis is for another registry than the one it is judged by')
  }
  if ((body.purpose === 'access') !== (body.of !== null)) {
    return violation('purpose', 'an access chain, and only one, names its record chain')
  }
  const broken =
    checkControllers(body.controllers, records) ??
    checkApprovals(
      opened.approvals,
      {
        chain: null,
        seq: 0,
        action: actionOf('genesis', body),
        time: block.time,
        controllers: body.controllers,
      },
      records,
    ) ??
    checkNewDevices({ before: [], next: body.controllers, isVouchingNeeded: true }, opened, records)
  if (broken) return broken
  return {
    v: 1,
    purpose: body.purpose,
    of: body.of,
    seq: 0,
    home: body.home,
    controllers: body.controllers,
    recovery: null,
    grants: [],
    compartments: compartmentsOf(body.compartments),
    epoch: { number: 1, height: 0 },
    labelKeyHash: body.labelKeyHash,
    access: null,
    hold: false,
    pending: [],
    ended: false,
  }
}

/** Controllers are distinct, enough for the threshold, and real: active institutions or keys that match. */
export function checkControllers(controllers: Controllers, records: RegistryView): Violation | null {
  const names = new Set<string>()
  for (const member of controllers.members) {
    names.add(member.kind === 'device' ? member.kid : member.institution)
    if (member.kind === 'device' && thumbprint(member.jwk) !== member.kid) {
      return violation('device-key', 'a device is named by another key than its own')
    }
    if (
      member.kind === 'institution' &&
      recordOf(records, 'institution', member.institution)?.status !== 'active'
    ) {
      return violation('controller', 'a controller is not an active institution')
    }
  }
  if (names.size !== controllers.members.length)
    return violation('controller', 'a controller is listed twice')
  if (controllers.threshold > names.size) return violation('threshold', 'the threshold cannot be reached')
  return null
}

/** What a device that was not listed before needs: its own approval, and that of somebody who may identify people. */
export interface DeviceDemand {
  /** Lists of the state before. */
  readonly before: readonly (Controllers | null)[]
  readonly next: Controllers
  readonly isVouchingNeeded: boolean
}

/** A device that was not listed before approves itself, and where that is needed an instance that may identify vouches for it. */
export function checkNewDevices(
  { before, next, isVouchingNeeded }: DeviceDemand,
  { approvals }: OpenedBlock,
  records: RegistryView,
): Violation | null {
  const known = new Set(before.flatMap(devicesOf).map(({ kid }) => kid))
  const isIdentified = !isVouchingNeeded || isVouchedFor(approvals, records)
  for (const { kid } of devicesOf(next)) {
    if (known.has(kid)) continue
    if (!approvals.some(({ jws }) => jws.kid === kid))
      return violation('device-possession', 'a new device did not approve itself')
    if (!isIdentified) return violation('device-identify', 'nobody who may identify vouches for a new device')
  }
  return null
}

/** A device that may control and recover has one sealing key, or its package would be for either. */
export function checkSameDevices({ controllers, recovery }: ControlState): Violation | null {
  const sealing = new Map(devicesOf(controllers).map((device) => [device.kid, device.sealing]))
  const differs = devicesOf(recovery).some(
    (device) => sealing.has(device.kid) && sealing.get(device.kid) !== device.sealing,
  )
  return differs ? violation('device-key', 'a device is listed with two sealing keys') : null
}

/** What the state keeps of an epoch's public keys. */
export function compartmentsOf(keys: readonly EpochKey[]): ControlState['compartments'] {
  return keys.map(({ id, key }) => ({ id, key: digestOf(fromBase64url(key)) }))
}
