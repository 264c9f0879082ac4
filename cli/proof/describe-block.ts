// SPDX-License-Identifier: Apache-2.0
import type { Block, ControlBlock, EraseBlock, RecoverBlock } from '#core/block/block.ts'
import { keyRecordOf, type RegistryView } from '#core/registry/snapshot.ts'
import type { Kid } from '#core/bytes/ids.ts'
import { counted, listed, localTime } from '../terminal/words.ts'

type Grant = ControlBlock['body']['grants']['put'][number]

/** What a block does, in a few words; nothing in it is sealed. */
export function describeBlock(block: Block): string {
  switch (block.type) {
    case 'genesis':
      return block.body.purpose === 'record' ? 'begins the record' : 'begins the access log'
    case 'record':
      return counted(block.entries.count, 'entry', 'entries')
    case 'control':
      return describeControl(block)
    case 'erase':
      return describeErase(block)
    case 'recover':
      return describeRecovery(block)
    case 'rehome':
      return `moves from ${block.body.from.origin} to ${block.body.home.origin}`
  }
}

/** The app instance that signed, as the registry names it; `device` for a patient's, which it does not know. */
export function authorOf(kid: Kid, records: RegistryView): string {
  const owner = keyRecordOf(records, kid)?.owner
  return owner && 'instance' in owner ? owner.instance : 'device'
}

function describeControl({ body }: ControlBlock): string {
  const said = [
    ...body.grants.put.map(describeGrant),
    ...body.grants.remove.map((institution) => `takes ${institution}'s grant away`),
    ...(body.controllers ? [`${body.controllers.members.length} controllers`] : []),
    ...describeRecoverers(body.recovery),
    ...(body.hold === null ? [] : [body.hold ? 'on hold' : 'hold ends']),
    ...(body.access === null ? [] : ['names its access log']),
    ...(body.epoch ? ['new keys'] : []),
  ]
  return said.join(', ')
}

function describeRecoverers(recovery: ControlBlock['body']['recovery']): string[] {
  if (recovery === undefined) return []
  return [
    recovery === null
      ? 'nobody may recover it any longer'
      : `${recovery.threshold} of ${recovery.members.length} may recover it`,
  ]
}

function describeRecovery({ body }: RecoverBlock): string {
  const members = counted(body.controllers.members.length, 'controller')
  switch (body.act) {
    case 'request':
      return `recovery to ${members} requested, can be cancelled until ${localTime(body.notBefore)}`
    case 'complete':
      return `recovers to ${members}, as block ${body.request} requested, new keys`
    case 'cancel':
      return `cancels the recovery that block ${body.request} requested`
  }
}

function describeGrant({ institution, rights, compartments, until }: Grant): string {
  const where = ` in ${counted(compartments.length, 'compartment')}`
  return `grants ${institution} ${listed(rights)}${where}${until === null ? '' : ` until ${localTime(until)}`}`
}

function describeErase({ body }: EraseBlock): string {
  const ids = body.targets.reduce((sum, target) => sum + target.ids.length, 0)
  const what = body.scope === 'record' ? 'the record' : counted(ids, 'entry', 'entries')
  switch (body.act) {
    case 'request':
      return `erasure of ${what} requested, can be cancelled until ${localTime(body.notBefore)}`
    case 'complete':
      return `erases ${what}, as block ${body.request} requested`
    case 'cancel':
      return `cancels the erasure that block ${body.request} requested`
  }
}
