// SPDX-License-Identifier: Apache-2.0
import { timestampMs } from '../../bytes/timestamp.ts'
import type { OpenedBlock } from '../../block/open-block.ts'
import { violation, type Violation } from '../../block/violation.ts'
import type { RegistryView } from '../../registry/snapshot.ts'
import { memberName, type ControlState } from '../state.ts'
import { controllerOf } from './authority.ts'

/**
 * How long after its delay a recovery keeps those whom it removes from changing the chain: seven days, within which it is to be completed. Part of
 * the format.
 */
export const FROZEN_MS = 7 * 24 * 60 * 60 * 1000

/**
 * While a recovery waits for which somebody vouched, those whom it removes neither change, erase nor move the chain, alone or with others: who holds a
 * stolen phone would take the keys of today from the sheet that is to complete the recovery, and it could not then.
 */
export function checkFrozen(
  { pending, controllers }: ControlState,
  { block, kid, approvals }: OpenedBlock,
  records: RegistryView,
): Violation | null {
  if (block.type !== 'control' && block.type !== 'erase' && block.type !== 'rehome') return null
  const frozen = new Set<string>()
  for (const step of pending) {
    if (step.kind !== 'recover') continue
    if (timestampMs(block.time) >= timestampMs(step.notBefore) + FROZEN_MS) continue
    for (const name of step.frozen) frozen.add(name)
  }
  if (frozen.size === 0) return null
  const isFrozen = [kid, ...approvals.map(({ jws }) => jws.kid)].some((signed) => {
    const controller = controllerOf(signed, controllers, records)
    return controller !== null && frozen.has(memberName(controller))
  })
  return isFrozen
    ? violation(
        'recover-frozen',
        'a recovery waits that removes who signs this: it changes nothing meanwhile',
      )
    : null
}
