// SPDX-License-Identifier: Apache-2.0
import type { InstitutionId } from '#core/bytes/ids.ts'
import type { ApplicantRecord } from '#core/registry/records.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { applicantOf, isMember } from '#core/registry/rules/members.ts'
import { recordOf } from '#core/registry/snapshot.ts'
import { getRecord, recordsIn, type RegistryState } from '#core/registry/state.ts'
import type { ActingOptions } from '../../deployment/session.ts'
import {
  confirmFingerprint,
  homeFingerprint,
  institutionFingerprint,
  type ConfirmOptions,
} from '../../mirror/fingerprints.ts'
import { checkSameKind, connectHome, describeHome, originArgument, stateOf } from '../../mirror/other-home.ts'
import { openInstitution, rootSigner, type Institution } from '../../open/institution.ts'
import type { Call } from '../../program/command.ts'
import { refuse } from '../../program/refuse.ts'
import { EXIT } from '../../terminal/screen.ts'
import { plain } from '../../terminal/words.ts'
import { withRegistry, type RegistrySession } from '../instances/registry-session.ts'

interface AdmitOptions extends ActingOptions, ConfirmOptions {}

/**
 * Admits the institution of another deployment to the registry of this home, so that it can be granted to hold records. It is
 * given nothing by that. Its keys are those that its own home publishes, once somebody confirmed them.
 */
export async function admitMirror(call: Call<AdmitOptions>): Promise<number> {
  const origin = originArgument(call.args[0] ?? '')
  return withRegistry(call, async (session) => {
    const { screen, options } = call
    const { settings, institution, state } = session
    if (origin === settings.origin) throw refuse('CONFIGURATION', 'nobody is a mirror of oneself')
    const offered = await offeredBy(origin, institution, session)
    const fingerprint = institutionFingerprint(offered)
    const known = getRecord(state(), `institution/${offered.id}`)
    const isKnown = known?.kind === 'institution' && institutionFingerprint(known) === fingerprint
    if (known !== null && !isKnown)
      throw refuse('ALREADY_EXISTS', `another institution is ${offered.id} here, with other keys`)
    if (!isKnown) {
      const what = `The institution ${offered.id} (${plain(offered.name)}) of ${origin}`
      await confirmFingerprint(screen, options, what, fingerprint)
      screen.stopping.keeps(() => 'Whether it was admitted, the same command says.')
      const change = { act: 'admit' as const, institution: offered }
      const isThere = (after: RegistryState) => getRecord(after, `institution/${offered.id}`) !== null
      await session.change(change, isThere, await approvers(session))
    }
    const ours = homeFingerprint(settings.registry, settings.log)
    screen.print({ ok: true, changed: !isKnown, institution: offered.id, fingerprint, home: ours }, [
      isKnown
        ? `${offered.id} is admitted already. Nothing was changed.`
        : `${offered.id} is admitted (registry block ${session.height()}). It may do nothing yet.`,
      `There npx ampere mirror join ${settings.origin} --confirm '${ours}'`,
      `Then  npx ampere grant RECORD ${offered.id} --hold, for each record`,
    ])
    return EXIT.ok
  })
}

/** The institution of a deployment, as its own registry has it. */
async function offeredBy(
  origin: string,
  asking: Institution,
  { settings }: RegistrySession,
): Promise<ApplicantRecord> {
  const said = await describeHome(origin)
  if (said.registry === settings.registry)
    throw refuse('CONFIGURATION', `${origin} is of this very registry: nobody has to be admitted`)
  const connection = await connectHome(origin, said.registry, asking)
  checkSameKind(stateOf(connection), settings)
  const newest = connection.sync.registry.newest()
  const owner = recordOf(newest, 'deployment', said.deployment)?.institution
  const record = owner === undefined ? null : recordOf(newest, 'institution', owner)
  if (record?.status === 'active') return applicantOf(record)
  throw refuse('UPSTREAM_FAILED', `the registry of ${origin} has no institution that it belongs to`)
}

/**
 * Root keys of the members that are on this machine: more than half of all must approve.
 * @throws AmpereError FORBIDDEN where they are too few
 */
async function approvers({ folder, settings, passphrase, state }: RegistrySession) {
  const members = [...recordsIn(state())].flatMap((record): InstitutionId[] =>
    record.kind === 'institution' && isMember(record, toTimestamp(Date.now())) ? [record.id] : [],
  )
  const here = members.filter((id) => settings.institutions.includes(id))
  if (here.length * 2 <= members.length)
    throw refuse(
      'FORBIDDEN',
      `more than half of the ${members.length} members must approve, and the keys of ${here.length} are here`,
      'npx ampere institution propose admit FILE, which members on other machines sign there',
    )
  return Promise.all(here.map(async (id) => rootSigner(await openInstitution(folder, id, passphrase))))
}
