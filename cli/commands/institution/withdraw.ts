// SPDX-License-Identifier: Apache-2.0
import { withdraw } from '#core/client/membership/act.ts'
import { shortId, type ActingOptions } from '../../deployment/session.ts'
import type { Call } from '../../program/command.ts'
import { refuse } from '../../program/refuse.ts'
import { EXIT } from '../../terminal/screen.ts'
import { listed } from '../../terminal/words.ts'
import { proposalArgument, withMembership } from './member-session.ts'

/** Takes a proposal back from the home's list. What was signed cannot be taken back, and says so. */
export async function withdrawProposal(call: Call<ActingOptions>): Promise<number> {
  return withMembership(call, async ({ connection, institution, root }) => {
    const { proposal, by, approvals } = await proposalArgument(connection, call.args[0] ?? '')
    if (by !== institution.id)
      throw refuse(
        'FORBIDDEN',
        `${by} made this proposal, and alone can take it back`,
        'npx ampere institution list',
      )
    await withdraw(connection, proposal, root)
    const signed = [...approvals.keys()].toSorted()
    const name = shortId(proposal.action)
    call.screen.print(
      { ok: true, action: proposal.action, proposal: proposal.id, signed, expires: proposal.expires },
      [
        `${name} is taken back: the home shows it no more.`,
        ...(signed.length === 0
          ? []
          : [
              `Signed by ${listed(signed)}: who kept these signatures and gets a majority can still use them until they expire.`,
            ]),
      ],
    )
    return EXIT.ok
  })
}
