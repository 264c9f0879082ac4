// SPDX-License-Identifier: Apache-2.0
import { approveProposal, type Standing } from '#core/client/membership/act.ts'
import { newestLink, timeAfter, type OpenProposal } from '#core/client/membership/proposals.ts'
import { isMember } from '#core/registry/rules/members.ts'
import { getRecord } from '#core/registry/state.ts'
import { shortId, type ActingOptions } from '../../deployment/session.ts'
import type { Call } from '../../program/command.ts'
import { refuse } from '../../program/refuse.ts'
import { confirmGrave, type GraveOptions } from '../../terminal/confirm.ts'
import { EXIT } from '../../terminal/screen.ts'
import { listed } from '../../terminal/words.ts'
import { proposalArgument, withMembership, type MemberSession } from './member-session.ts'
import { describeProposal, shownProposal } from './words.ts'

/** Shows an open proposal, signs it once somebody confirmed it, and adds the block where a majority has signed. */
export async function signProposal(call: Call<ActingOptions & GraveOptions>): Promise<number> {
  return withMembership(call, async (session) => {
    const open = await proposalArgument(session.connection, call.args[0] ?? '')
    checkMember(session)
    const says = [...describeProposal(open, session.state()), `Signs it as ${session.institution.id}.`]
    const name = shortId(open.proposal.action)
    if (!(await confirmGrave(call.screen, call.options, { says, name }))) {
      call.screen.print({ ok: true, dryRun: true, ...shownProposal(open), inForce: null }, [
        'Nothing was signed (--dry-run).',
      ])
      return EXIT.ok
    }
    return signShown(call, session, open)
  })
}

/** @throws AmpereError FORBIDDEN for an institution that is not admitted, or still waits */
function checkMember({ connection, institution, state }: MemberSession): void {
  const record = getRecord(state(), `institution/${institution.id}`)
  const time = timeAfter(newestLink(connection), connection.ports.now())
  if (record?.kind === 'institution' && isMember(record, time)) return
  throw refuse(
    'FORBIDDEN',
    `${institution.id} is no member, so that it signs nothing`,
    'npx ampere institution list',
  )
}

/** Signs what somebody was shown, and says how it stands. */
export async function signShown(
  { screen }: Call<ActingOptions>,
  { connection, root, institution }: MemberSession,
  open: OpenProposal,
): Promise<number> {
  screen.stopping.keeps(
    () => 'Whether it was signed, npx ampere institution list says; the same command goes on.',
  )
  const standing = await approveProposal(connection, open, root)
  const inForce = standing.at === 'in-force' ? standing.height : null
  const shown = shownProposal(standing.at === 'open' ? standing.open : open)
  screen.print({ ok: true, dryRun: false, ...shown, inForce }, linesOf(standing, institution.id))
  return EXIT.ok
}

function linesOf(standing: Standing, id: string): readonly string[] {
  if (standing.at === 'in-force') return [`It is in force (registry block ${standing.height}).`]
  const { approvals, missing, proposal } = standing.open
  const name = shortId(proposal.action)
  return [
    `${id} signed ${name}; signed so far: ${listed([...approvals.keys()].toSorted())}.`,
    `It is not in force: more than half of the members must sign. Missing: ${listed(missing)}`,
    `There  npx ampere institution sign ${name}`,
  ]
}
