// SPDX-License-Identifier: Apache-2.0
import { shortId, type ActingOptions } from '../../deployment/session.ts'
import type { Call } from '../../program/command.ts'
import { EXIT } from '../../terminal/screen.ts'
import { proposalArgument, withMembership } from './member-session.ts'
import { describeProposal, shownProposal } from './words.ts'

/** Says what an open proposal changes. */
export async function showProposal(call: Call<ActingOptions>): Promise<number> {
  return withMembership(call, async ({ connection, institution, state }) => {
    const open = await proposalArgument(connection, call.args[0] ?? '')
    call.screen.print({ ok: true, ...shownProposal(open) }, [
      ...describeProposal(open, state()),
      `Next  npx ampere institution sign ${shortId(open.proposal.action)} --as ${institution.id}`,
    ])
    return EXIT.ok
  })
}
