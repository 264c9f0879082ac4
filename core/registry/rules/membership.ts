// SPDX-License-Identifier: Apache-2.0
import { fromBase64url } from '../../bytes/encoding.ts'
import type { InstitutionId } from '../../bytes/ids.ts'
import { timestampMs, toTimestamp } from '../../bytes/timestamp.ts'
import { violation, type Violation } from '../../block/violation.ts'
import { digestOf } from '../../crypto/hash.ts'
import { thumbprint } from '../../crypto/jwk.ts'
import type { MembershipChange, RegistryChange } from '../block.ts'
import { recordKey, type ApplicantRecord, type KeyRecord, type RulesRecord } from '../records.ts'
import { getRecord, type RegistryState } from '../state.ts'
import type { ChangeContext, Put } from './context.ts'
import { isKnown, kidOwner } from './keys.ts'
import { membersAt } from './members.ts'

/**
 * How long an institution waits after the block that admits it, in milliseconds: a day, in which the others can still remove it.
 * Part of the format. In a demonstration it does not wait: that can never join a real registry, and is to be seen in one go.
 */
export const WAITING_MS = 86_400_000

/** The last time that a timestamp can name. */
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z')

/** True for a change that takes a majority, and spends the approvals given before it. */
export function isMembershipChange(change: RegistryChange): change is MembershipChange {
  return change.act === 'admit' || change.act === 'remove' || change.act === 'rules'
}

/** The records that a change of members or rules puts in place, or the rule that it breaks. */
export function applyMembership(
  state: RegistryState,
  change: MembershipChange,
  context: ChangeContext,
): Put | Violation {
  switch (change.act) {
    case 'admit':
      return admit(state, change.institution, context)
    case 'remove':
      return remove(state, change.institution, context)
    case 'rules':
      return changeRules(state, change.rules, context)
  }
}

function admit(state: RegistryState, record: ApplicantRecord, context: ChangeContext): Put | Violation {
  if (getRecord(state, recordKey(record))) return violation('admit', 'the institution is known already')
  const keys = (['root', 'recovery'] as const).map((use): KeyRecord => ({
    v: 1,
    kind: 'key',
    kid: thumbprint(record[use]),
    jwk: record[use],
    use,
    owner: { institution: record.id },
    revoked: null,
  }))
  if (keys.some((key) => isKnown(state, key)) || keys[0]?.kid === keys[1]?.kid) return kidOwner()
  if (digestOf(fromBase64url(record.sealing.key)) !== record.sealing.kid || record.status !== 'active') {
    return violation('admit', 'the record of a new institution is not right')
  }
  const rules = getRecord(state, 'rules')
  const waitingMs = rules?.kind === 'rules' && rules.demo ? 0 : WAITING_MS
  const from = toTimestamp(Math.min(timestampMs(context.time) + waitingMs, LAST_MS))
  return majority(context, null) ?? [{ ...record, from }, ...keys]
}

function remove(state: RegistryState, id: InstitutionId, context: ChangeContext): Put | Violation {
  const record = getRecord(state, `institution/${id}`)
  if (record?.kind !== 'institution' || record.status !== 'active')
    return violation('remove', 'no such active institution')
  return majority(context, id) ?? [{ ...record, status: 'removed' }]
}

function changeRules(state: RegistryState, rules: RulesRecord, context: ChangeContext): Put | Violation {
  const known = getRecord(state, recordKey(rules))
  if (known?.kind !== 'rules' || known.demo !== rules.demo)
    return violation('rules', 'a demonstration stays one, and nothing else becomes one')
  if (!getRecord(state, `deployment/${rules.home}`))
    return violation('rules', 'the home of the registry is no deployment')
  return majority(context, null) ?? [rules]
}

/** More than half of the members agree; the subject of a removal has no vote and is not counted, nor is who still waits. */
function majority(context: ChangeContext, subject: InstitutionId | null): Violation | null {
  const members = membersAt(context.parent, context.time).filter((member) => member !== subject)
  const agreeing = members.filter((member) => context.approvers.has(member)).length
  return agreeing * 2 > members.length
    ? null
    : violation('majority', `${agreeing} of ${members.length} members approve`)
}
