// SPDX-License-Identifier: Apache-2.0
import type { OpenProposal } from '#core/client/membership/proposals.ts'
import type { MembershipChange } from '#core/registry/block.ts'
import { getRecord, type RegistryState } from '#core/registry/state.ts'
import { shortId } from '../../deployment/session.ts'
import { institutionFingerprint } from '../../mirror/fingerprints.ts'
import { counted, listed, localTime, plain } from '../../terminal/words.ts'

/** What a change does, in plain words: a title and what follows from it. */
export function describeChange(change: MembershipChange, state: RegistryState): readonly string[] {
  switch (change.act) {
    case 'admit': {
      const { id, name } = change.institution
      return [
        `Admits ${id} (${plain(name)})`,
        `  Fingerprint  ${institutionFingerprint(change.institution)}`,
        isDemo(state)
          ? '  It is a member at once: this registry is a demonstration.'
          : '  It waits 24 hours from then on: it neither acts nor votes, and can still be removed.',
      ]
    }
    case 'remove': {
      const record = getRecord(state, `institution/${change.institution}`)
      const name = record?.kind === 'institution' ? ` (${plain(record.name)})` : ''
      return [
        `Removes ${change.institution}${name} for good`,
        '  Its app instances write and read nothing from then on, and it does not vote any more.',
      ]
    }
    case 'rules':
      return [
        `Moves the home of the registry from ${homeIn(state)} to ${deploymentIn(state, change.rules.home)}`,
        '  Registry blocks are taken there alone from then on.',
      ]
  }
}

/** A proposal in full: what it changes, who made it, who signed, who has not. */
export function describeProposal(
  { proposal, by, approvals, missing, lacks }: OpenProposal,
  state: RegistryState,
): readonly string[] {
  const signed = [...approvals.keys()].toSorted()
  return [
    `Proposal ${shortId(proposal.action)} by ${by}, until ${localTime(proposal.expires)}`,
    ...proposal.changes.flatMap((change) => describeChange(change, state)),
    `Signed   ${listed(signed) || 'by nobody yet'}`,
    `Missing  ${lacks === null ? 'nothing: a majority signed' : `${listed(missing)} (more than half of the members must sign)`}`,
  ]
}

/** A proposal as an object of --json. */
export function shownProposal({ proposal, by, approvals, missing, lacks }: OpenProposal) {
  const { action, id, changes, after, expires } = proposal
  return {
    action,
    proposal: id,
    by,
    changes,
    after,
    expires,
    signed: [...approvals.keys()].toSorted(),
    missing,
    isEnough: lacks === null,
  }
}

/** One line of a list. */
export function titleOf({ proposal: { changes } }: OpenProposal, state: RegistryState): string {
  const [first] = changes
  const title = first ? (describeChange(first, state)[0] ?? '') : ''
  return changes.length > 1 ? `${title} and ${counted(changes.length - 1, 'more change')}` : title
}

function isDemo(state: RegistryState): boolean {
  const rules = getRecord(state, 'rules')
  return rules?.kind === 'rules' && rules.demo
}

function homeIn(state: RegistryState): string {
  const rules = getRecord(state, 'rules')
  return rules?.kind === 'rules' ? deploymentIn(state, rules.home) : 'nowhere'
}

function deploymentIn(state: RegistryState, id: string): string {
  const record = getRecord(state, `deployment/${id}`)
  return record?.kind === 'deployment' ? `${id} (${plain(record.origin)})` : id
}
