// SPDX-License-Identifier: Apache-2.0
import { shownCode } from '#core/bytes/code.ts'
import type { EnrolmentState } from '#core/api/answers.ts'
import { acceptAnswer, type Accepted } from '#core/client/enrol/accept.ts'
import { enrolmentStanding, sendEnrolment } from '#core/client/enrol/ask.ts'
import { makeCertificate } from '#core/client/enrol/certificate.ts'
import { isAmpereError } from '#core/errors.ts'
import { recordsIn } from '#core/registry/state.ts'
import { institutionFolder } from '../deployment/files.ts'
import { SETTINGS_VERSION, writeSettings } from '../deployment/settings.ts'
import { ENROLMENT_SEED, SEALING_SEED } from '../open/institution.ts'
import type { Call } from '../program/command.ts'
import { refuse } from '../program/refuse.ts'
import { EXIT, type Screen } from '../terminal/screen.ts'
import { localTime } from '../terminal/words.ts'
import { certificateFile, writeCertificate } from './certificate-file.ts'
import type { Applicant, HereOptions } from './applicant.ts'
import { removePending } from './pending.ts'
import { certificateLines } from './told.ts'

/** Between two looks whether there is an answer, in milliseconds. */
const LOOK_MS = 3000

/** Sends the request, shows its code, and waits until it is answered or expires. */
export async function untilAnswered(screen: Screen, applicant: Applicant): Promise<EnrolmentState> {
  const { asked, connection } = applicant
  const { institution, instance } = asked.request
  const code = shownCode(asked.code)
  let state = await sendEnrolment(connection.ports, asked.compact)
  // Without the code nobody can approve, so that it is said with --json as well, on standard error.
  screen.terminal.err.write(`Code  ${code}\n`)
  screen.say(`${instance} asks to be an app instance of ${institution} at ${connection.ports.pins.origin}.`)
  screen.say(
    `Tell its administrator this code, by telephone or in person. There: npx ampere instance approve ${code} --as ${institution}`,
  )
  if (state.state === 'waiting' && state.expires !== null)
    screen.say(`Waiting for the answer until ${localTime(state.expires)}. Ctrl+C keeps the request.`)
  while (state.state === 'waiting') {
    await screen.terminal.wait(LOOK_MS)
    state = await lookAgain(applicant, state)
  }
  return state
}

/** A home that cannot be asked for a moment is asked again. */
async function lookAgain({ asked, connection }: Applicant, before: EnrolmentState): Promise<EnrolmentState> {
  try {
    return await enrolmentStanding(connection.ports, asked)
  } catch (error) {
    if (isAmpereError(error, 'UPSTREAM_FAILED', 'STORE_UNAVAILABLE')) return before
    throw error
  }
}

/** Takes what was answered; the settings come last and make the folder whole. */
export async function finishEnrolment(
  call: Call<HereOptions>,
  applicant: Applicant,
  { answer }: EnrolmentState,
): Promise<number> {
  const { folder, asked, connection, keyring } = applicant
  const { institution } = asked.request
  if (answer === null) {
    removePending(folder)
    throw refuse('GONE', `${institution} did not answer in time`, 'run the same command again: it asks anew')
  }
  const accepted = await acceptAnswer(connection, asked, answer, keyring.seed(ENROLMENT_SEED))
  if (accepted.answer === 'refused') {
    removePending(folder)
    throw refuse(
      'FORBIDDEN',
      `${institution} refused: ${accepted.reason}`,
      'run the same command again: it asks anew',
    )
  }
  return keepWhatWasGiven(call, applicant, accepted)
}

async function keepWhatWasGiven(
  { screen }: Call<HereOptions>,
  { folder, pending, keyring, asked, connection }: Applicant,
  { instance, seed, log }: Extract<Accepted, { answer: 'approved' }>,
): Promise<number> {
  const { institution, jwk: _ } = asked.request
  const place = institutionFolder(folder, institution)
  if (seed) keyring.keep(SEALING_SEED, seed)
  const certificate = await makeCertificate(connection, instance.id, instance.signing)
  writeCertificate(place, certificate)
  const { origin, registry, passphrase } = pending
  writeSettings(folder, {
    v: SETTINGS_VERSION,
    registry,
    deployment: deploymentAt(applicantState(connection), origin),
    origin,
    elsewhere: true,
    log,
    institutions: [institution],
    passphrase,
    demo: null,
  })
  removePending(folder)
  const reads = seed !== null
  screen.print(
    {
      ok: true,
      instance: instance.id,
      kid: instance.signing,
      capabilities: instance.capabilities,
      reads,
      expires: instance.expires ?? null,
      registryHeight: certificate.height,
      certificate: certificateFile(place),
    },
    [
      `This machine is the app instance ${instance.id} of ${institution}.`,
      ...certificateLines(instance, certificate),
      reads
        ? `It reads and writes what was granted to ${institution}: it has its sealing key now.`
        : `It has no sealing key of ${institution}: it neither reads nor writes records.`,
      `  Certificate  ${certificateFile(place)}`,
      `Next: npx ampere instance certificate`,
    ],
  )
  return EXIT.ok
}

function applicantState({ sync }: Applicant['connection']) {
  const link = sync.registry.link()
  if (!link) throw refuse('NOT_FOUND', 'the registry is empty')
  return link.state
}

/** The deployment that the registry has at this address. @throws AmpereError NOT_FOUND */
function deploymentAt(state: ReturnType<typeof applicantState>, origin: string): string {
  for (const record of recordsIn(state)) {
    if (record.kind === 'deployment' && record.origin === origin) return record.id
  }
  throw refuse(
    'NOT_FOUND',
    `the registry has no deployment at ${origin}`,
    'give --at as the address that the home has in its own settings',
  )
}
