// SPDX-License-Identifier: Apache-2.0
import { proposeChange } from '#core/client/membership/act.ts'
import { asDeploymentId, asInstitutionId } from '#core/bytes/ids.ts'
import type { MembershipChange } from '#core/registry/block.ts'
import { MAX_APPROVAL_MS } from '#core/registry/rules/approvals.ts'
import { getRecord, type RegistryState } from '#core/registry/state.ts'
import type { ActingOptions } from '../../deployment/session.ts'
import { institutionFingerprint } from '../../mirror/fingerprints.ts'
import type { Call } from '../../program/command.ts'
import { refuse, usage } from '../../program/refuse.ts'
import { confirmGrave, type GraveOptions } from '../../terminal/confirm.ts'
import { EXIT } from '../../terminal/screen.ts'
import { withMembership } from './member-session.ts'
import { readPublicFile } from './public-file.ts'
import { signShown } from './sign.ts'
import { describeChange } from './words.ts'

interface ProposeOptions extends ActingOptions, GraveOptions {
  /** For how many days it is open. */
  readonly days: number
}

const DAY_MS = 86_400_000
/** Clocks differ by less: what is proposed for the longest time is not for too long by the home's clock. */
const MARGIN_MS = 600_000

/** Proposes to admit or remove an institution, or to move the registry's home, and signs that as the first. */
export async function propose(call: Call<ProposeOptions>): Promise<number> {
  const { options, screen } = call
  const [act = '', value = ''] = call.args
  if (options.days < 1 || options.days * DAY_MS > MAX_APPROVAL_MS) throw usage('--days is 1 to 30')
  return withMembership(call, async (session) => {
    const { change, name } = changeOf(act, value, session.state())
    const says = [
      ...describeChange(change, session.state()),
      `Proposes that as ${session.institution.id}, and signs it. It is in force once more than half of the members signed.`,
    ]
    const isName = (typed: string) => squeezed(typed) === squeezed(name)
    if (!(await confirmGrave(screen, options, { says, name, isName }))) {
      screen.print({ ok: true, dryRun: true, changes: [change] }, ['Nothing was proposed (--dry-run).'])
      return EXIT.ok
    }
    const forMs = Math.min(options.days * DAY_MS, MAX_APPROVAL_MS - MARGIN_MS)
    const open = await proposeChange(session.connection, [change], forMs, session.root)
    return signShown(call, session, open)
  })
}

/** The change that is meant, and what is typed to confirm it: of who is admitted the fingerprint, which tells it from another. */
function changeOf(
  act: string,
  value: string,
  state: RegistryState,
): { readonly change: MembershipChange; readonly name: string } {
  switch (act) {
    case 'admit': {
      const institution = readPublicFile(value)
      return { change: { act, institution }, name: institutionFingerprint(institution) }
    }
    case 'remove': {
      const institution = asInstitutionId(value)
      return { change: { act, institution }, name: institution }
    }
    case 'rules': {
      const home = asDeploymentId(value)
      const rules = getRecord(state, 'rules')
      if (rules?.kind !== 'rules') throw refuse('NOT_FOUND', 'the registry has no rules')
      return { change: { act, rules: { ...rules, home } }, name: home }
    }
    default:
      throw usage('what is proposed is admit FILE, remove ID or rules DEPLOYMENT')
  }
}

function squeezed(text: string): string {
  return text.replaceAll(/[\s:]/g, '').toLowerCase()
}
