// SPDX-License-Identifier: Apache-2.0
import { fromBase64url } from '../../bytes/encoding.ts'
import { actionOf } from '../../block/approval.ts'
import type { Controllers, EpochKey, GenesisBlock } from '../../block/block.ts'
import type { OpenedBlock } from '../../block/open-block.ts'
import { violation, type Violation } from '../../block/violation.ts'
import { digestOf } from '../../crypto/hash.ts'
import { thumbprint } from '../../crypto/jwk.ts'
import { activeInstanceOf, recordOf, type RegistryView } from '../../registry/snapshot.ts'
import type { ControlState } from '../state.ts'
import { authorOf, checkApprovals } from './authority.ts'

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
    checkNewDevices(null, body.controllers, opened, records)
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

/** A device that was no controller before approves itself, and an instance that may identify vouches for it. */
export function checkNewDevices(
  before: Controllers | null,
  next: Controllers,
  opened: OpenedBlock,
  records: RegistryView,
): Violation | null {
  const identified = opened.approvals.some((approval) =>
    activeInstanceOf(records, approval.jws.kid)?.instance.capabilities.includes('identify'),
  )
  for (const member of next.members) {
    if (member.kind !== 'device') continue
    if (before?.members.some((old) => old.kind === 'device' && old.kid === member.kid) === true) continue
    if (!opened.approvals.some((approval) => approval.jws.kid === member.kid)) {
      return violation('device-possession', 'a new device did not approve itself')
    }
    if (!identified) return violation('device-identify', 'nobody who may identify vouches for a new device')
  }
  return null
}

/** What the state keeps of an epoch's public keys. */
export function compartmentsOf(keys: readonly EpochKey[]): ControlState['compartments'] {
  return keys.map(({ id, key }) => ({ id, key: digestOf(fromBase64url(key)) }))
}
