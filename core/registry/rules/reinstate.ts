// SPDX-License-Identifier: Apache-2.0
import type { Kid } from '../../bytes/ids.ts'
import { violation, type Violation } from '../../block/violation.ts'
import { getRecord, type RegistryState } from '../state.ts'
import type { ChangeContext, Put } from './context.ts'
import { institutionOf } from './keys.ts'

/** An institution lifts a suspension of its own; what was signed meanwhile stays judged by the head that it names. */
export function reinstate(state: RegistryState, kid: Kid, context: ChangeContext): Put | Violation {
  const key = getRecord(state, `key/${kid}`)
  if (key?.kind !== 'key') return violation('reinstate', 'the key is not known')
  if (institutionOf(key, state) !== context.author)
    return violation('reinstate', 'an institution reinstates only its own keys')
  if (key.revoked?.reason !== 'suspended') return violation('reinstate', 'only a suspension can be lifted')
  const instance = 'instance' in key.owner ? getRecord(state, `instance/${key.owner.instance}`) : null
  const after = { ...key, revoked: null }
  return instance?.kind === 'instance' && instance.signing === kid
    ? [after, { ...instance, status: 'active' }]
    : [after]
}
