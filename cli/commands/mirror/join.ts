// SPDX-License-Identifier: Apache-2.0
import { asDeploymentId, asInstanceId } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import type { Connection } from '#core/client/connect.ts'
import { thumbprint } from '#core/crypto/jwk.ts'
import type { PublicJwk } from '#core/ports/keys.ts'
import { keyRecord } from '#core/registry/build.ts'
import type { ApplicantRecord } from '#core/registry/records.ts'
import { activeInstanceOf, headKeyAt } from '#core/registry/snapshot.ts'
import { isMember } from '#core/registry/rules/members.ts'
import { getRecord, type RegistryState } from '#core/registry/state.ts'
import { actingInstitution, type ActingOptions } from '../../deployment/session.ts'
import { cloudJoining, localJoining } from '../../mirror/joining.ts'
import {
  confirmFingerprint,
  homeFingerprint,
  institutionFingerprint,
  type ConfirmOptions,
} from '../../mirror/fingerprints.ts'
import {
  checkDeployment,
  checkSameKind,
  connectHome,
  describeHome,
  originArgument,
  stateOf,
} from '../../mirror/other-home.ts'
import { readGivenPolicy } from '../../mirror/given-policy.ts'
import { addMirroredHome, readMirrored, type MirroredEntry } from '../../open/mirror.ts'
import { foundingRecords, type Institution } from '../../open/institution.ts'
import type { Call, CloudOption } from '../../program/command.ts'
import { refuse } from '../../program/refuse.ts'
import { EXIT } from '../../terminal/screen.ts'
import { localTime } from '../../terminal/words.ts'
import { fetchKeys } from '../../witness/published-keys.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { addChange } from '../instances/registry-session.ts'

interface JoinOptions extends ActingOptions, CloudOption, ConfirmOptions {
  readonly policy?: string
}

/**
 * Makes this deployment a mirror of another home: enters an app instance and this deployment in the registry of that home,
 * and begins to mirror it. Its operator must have admitted the institution; until then this says how. Repeating it
 * changes nothing.
 */
export async function joinHome(call: Call<JoinOptions>): Promise<number> {
  const { screen, options } = call
  const joining = options.cloud === undefined ? localJoining(call) : cloudJoining(call, options.cloud)
  const { folder, settings } = joining
  const id = actingInstitution(settings, options)
  const origin = originArgument(call.args[0] ?? '')
  if (origin === settings.origin) throw refuse('CONFIGURATION', 'nobody is a mirror of oneself')
  const given = options.policy === undefined ? null : readGivenPolicy(options.policy, origin)
  const said = await describeHome(origin)
  const log = ((await fetchKeys((request) => fetch(request), origin)).log?.keys ?? []).map(formatVerifierKey)
  if (given) checkSameLog(given.log, log, origin)
  await confirmFingerprint(
    screen,
    options,
    `The home ${origin}, its registry and its log`,
    homeFingerprint(said.registry, log),
  )
  const { institution, keys } = await joining.open(id)
  const connection = await connectHome(origin, said.registry, institution)
  checkSameKind(stateOf(connection), settings)
  checkDeployment(connection.sync.registry.newest(), said)
  await checkAdmitted(connection, institution, settings.origin)
  screen.stopping.keeps(() => 'What was entered in the registry stays. The same command goes on.')
  const isEnrolled = await enrol(connection, institution, keys.instance)
  const isDeployed = await deploy(connection, institution, settings.origin, keys.head)
  const entry = {
    deployment: said.deployment,
    origin,
    registry: said.registry,
    log,
    institution: institution.id,
    ...(given?.policy === undefined ? {} : { policy: given.policy }),
  }
  const isAdded = addMirroredHome(folder, entry)
  const changed = isEnrolled || isDeployed || isAdded
  const { policy = readMirrored(folder).find((each) => each.origin === origin)?.policy, ...shown } = entry
  const witnessed = policy !== undefined
  const all = { ok: true, changed, ...shown, witnessed, effective: joining.effective }
  screen.print(all, linesOf(changed, witnessed, entry, joining.next))
  return EXIT.ok
}

/** The keys are those that are confirmed; a policy for others would be that of another home. @throws AmpereError VERIFICATION_FAILED */
function checkSameLog(given: readonly string[], published: readonly string[], origin: string): void {
  if (given.toSorted().join() === published.toSorted().join()) return
  throw refuse(
    'VERIFICATION_FAILED',
    `rule log-keys: the policy has other keys of the log than ${origin} publishes`,
    'ask its operator for a copy of its policy.txt as it is now',
  )
}

/** What to say of a home that is mirrored now. */
function linesOf(
  changed: boolean,
  witnessed: boolean,
  { origin, institution }: MirroredEntry,
  next: string,
): string[] {
  return [
    changed
      ? `${origin} is mirrored as ${institution}, once ${next}.`
      : `${origin} is mirrored as ${institution} already. Nothing was changed.`,
    witnessed
      ? 'Checkpoints are kept as witnessed that have the quorum of its policy.'
      : 'Without --policy FILE, a copy of its policy.txt, what the home calls witnessed is copied as it says.',
    `Then, in the data folder of ${origin}:  ampere grant RECORD ${institution} --hold, for each record`,
  ]
}

/** @throws AmpereError FORBIDDEN before it is admitted; ALREADY_EXISTS when another institution has that id there */
async function checkAdmitted(connection: Connection, institution: Institution, own: string): Promise<void> {
  const { id } = institution
  const [record] = (await foundingRecords(institution, id)) as [ApplicantRecord]
  const there = getRecord(stateOf(connection), `institution/${id}`)
  const fingerprint = institutionFingerprint(record)
  if (there?.kind !== 'institution')
    throw refuse(
      'FORBIDDEN',
      `${id} (fingerprint ${fingerprint}) is not admitted there`,
      `its operator, with this server running: npx ampere mirror admit ${own} --confirm '${fingerprint}'; then this command again`,
    )
  if (institutionFingerprint(there) === fingerprint && there.status === 'active') {
    if (isMember(there, toTimestamp(Date.now()))) return
    throw refuse(
      'FORBIDDEN',
      `${id} is admitted there, and is a member from ${localTime(there.from)} on`,
      'the same command then',
    )
  }
  throw refuse('ALREADY_EXISTS', `${id} is another institution there, or was removed`)
}

/** Enters the instance that acts here; it may nothing there but what records grant. @returns false where it was */
async function enrol(connection: Connection, institution: Institution, asks: PublicJwk): Promise<boolean> {
  const kid = thumbprint(asks)
  if (activeInstanceOf(connection.sync.registry.newest(), kid)) return false
  const id = freeInstance(stateOf(connection), institution.id)
  const owner = { institution: institution.id, instance: id }
  const instance = {
    v: 1 as const,
    kind: 'instance' as const,
    id,
    institution: institution.id,
    status: 'active' as const,
    capabilities: [],
    signing: kid,
  }
  const change = { act: 'enrol' as const, instance, key: keyRecord(asks, 'sign', owner) }
  await addChange(connection, institution, change, (state) => getRecord(state, `instance/${id}`) !== null)
  return true
}

function freeInstance(state: RegistryState, institution: string) {
  for (let number = 1; ; number++) {
    const id = asInstanceId(`${institution}-${number}`)
    if (getRecord(state, `instance/${id}`) === null) return id
  }
}

/** Enters this deployment, so that what it states of copies can be told to be its own. @returns false where it was */
async function deploy(
  connection: Connection,
  institution: Institution,
  origin: string,
  head: PublicJwk,
): Promise<boolean> {
  const kid = thumbprint(head)
  if (headKeyAt(connection.sync.registry.newest(), kid, origin)) return false
  const id = asDeploymentId(`${institution.id}-mirror`)
  const deployment = {
    v: 1 as const,
    kind: 'deployment' as const,
    id,
    institution: institution.id,
    origin,
    kid,
  }
  const change = {
    act: 'deploy' as const,
    deployment,
    key: keyRecord(head, 'head', { deployment: id }),
  }
  await addChange(connection, institution, change, (state) => {
    const record = getRecord(state, `deployment/${id}`)
    return record?.kind === 'deployment' && record.kid === kid
  })
  return true
}
