// SPDX-License-Identifier: Apache-2.0
import { openProposals, timeAfter, newestLink } from '#core/client/membership/proposals.ts'
import type { InstitutionRecord } from '#core/registry/records.ts'
import { isMember } from '#core/registry/rules/members.ts'
import { recordsIn } from '#core/registry/state.ts'
import { shortId, type ActingOptions } from '../../deployment/session.ts'
import { institutionFingerprint } from '../../mirror/fingerprints.ts'
import type { Call } from '../../program/command.ts'
import { EXIT } from '../../terminal/screen.ts'
import { columns, listed, localTime, plain } from '../../terminal/words.ts'
import { withMembership } from './member-session.ts'
import { shownProposal, titleOf } from './words.ts'

/** Lists the institutions of the registry, and the proposals that are open. */
export async function listMembers(call: Call<ActingOptions>): Promise<number> {
  return withMembership(call, async ({ connection, institution, state }) => {
    const open = await openProposals(connection)
    const time = timeAfter(newestLink(connection), connection.ports.now())
    const members = [...recordsIn(state())]
      .filter((record): record is InstitutionRecord => record.kind === 'institution')
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    const items = members.map((record) => ({
      id: record.id,
      name: record.name,
      status: record.status === 'removed' ? 'removed' : isMember(record, time) ? 'member' : 'waiting',
      from: record.from,
      fingerprint: institutionFingerprint(record),
      isHere: record.id === institution.id,
    }))
    const rows = items.map(({ id, name, status, from, isHere }) => [
      id,
      plain(name),
      status === 'waiting' ? `waits until ${localTime(from)}` : status,
      isHere ? 'acts here' : '',
    ])
    const isKnown = items.some(({ isHere }) => isHere)
    const said = {
      json: {
        ok: true,
        registryHeight: connection.sync.registry.height(),
        items,
        proposals: open.map(shownProposal),
      },
      lines: [
        ...columns(rows, ''),
        ...(isKnown ? [] : [`${institution.id} is not admitted.`]),
        ...(open.length === 0 ? ['No proposal is open.'] : ['', 'Open proposals']),
        ...open.flatMap((one) => [
          `  ${shortId(one.proposal.action)}  ${titleOf(one, state())}, by ${one.by}, until ${localTime(one.proposal.expires)}`,
          `            signed by ${listed([...one.approvals.keys()].toSorted()) || 'nobody'}; ${one.lacks === null ? 'a majority' : `missing: ${listed(one.missing)}`}`,
        ]),
        ...(open.length === 0 ? [] : ['What one changes  npx ampere institution show PROPOSAL']),
      ],
    }
    call.screen.print(said.json, said.lines)
    return EXIT.ok
  })
}
