// SPDX-License-Identifier: Apache-2.0
import { parseCode, shownCode } from '#core/bytes/code.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { approvingChange, enrolmentByCode, sendApproval } from '#core/client/enrol/answer.ts'
import type { SeenEnrolment } from '#core/client/enrol/ask.ts'
import { isAmpereError } from '#core/errors.ts'
import { thumbprint } from '#core/crypto/jwk.ts'
import { getRecord } from '#core/registry/state.ts'
import type { ActingOptions } from '../../deployment/session.ts'
import { capabilityLines } from '../../enrolment/told.ts'
import { readingSeed, rootSigner } from '../../open/institution.ts'
import type { Call } from '../../program/command.ts'
import { refuse, usage } from '../../program/refuse.ts'
import { confirmGrave, type GraveOptions } from '../../terminal/confirm.ts'
import { EXIT, type Screen } from '../../terminal/screen.ts'
import { localTime } from '../../terminal/words.ts'
import { withRegistry, type RegistrySession } from './registry-session.ts'

const DAY_MS = 86_400_000
/** A request that others pushed out is sent again each few seconds, and looked for so often, in milliseconds apart. */
const LOOKS = 4
const LOOK_MS = 3000

interface ApproveOptions extends ActingOptions, GraveOptions {
  /** Days until the instance expires. */
  readonly days: number
  readonly reads?: boolean
}

/** Approves the request of a machine by the code that it shows. */
export async function approveRequest(call: Call<ApproveOptions>): Promise<number> {
  const { screen, options } = call
  return withRegistry(call, async (session) => {
    const { institution, connection } = session
    const root = await rootSigner(institution)
    const found = await requestWith(session, screen, call.args[0] ?? '')
    const { instance: id, capabilities, sealTo } = found.request
    const reads = options.reads === true
    if (reads && sealTo === null)
      throw usage(`${id} does not ask to read: --reads has nothing to be sealed to`)
    const kid = thumbprint(found.request.jwk)
    const isEntered = connection.sync.registry.since(`key/${kid}`) !== null
    checkAnswerable(session, found, isEntered)
    const expires = toTimestamp(Date.now() + options.days * DAY_MS)
    const said = { instance: id, kid, capabilities, reads }
    const says = wordsOf(found, reads, expires)
    if (!(await confirmGrave(screen, options, { says, name: id }))) {
      screen.print({ ok: true, dryRun: true, ...said, registryHeight: session.height() }, [
        'Nothing was changed (--dry-run).',
      ])
      return EXIT.ok
    }
    screen.stopping.keeps(() => 'The same command again ends what was begun.')
    if (!isEntered) {
      const change = approvingChange(found, expires)
      await session.change(change, (state) => getRecord(state, `key/${kid}`) !== null)
    }
    const seed = reads ? readingSeed(institution) : null
    await sendApproval(connection, found, root, { seed, log: session.settings.log.slice(0, 2) })
    screen.print({ ok: true, dryRun: false, ...said, registryHeight: session.height() }, [
      `${id} is an app instance of ${institution.id} since registry block ${session.height()}. The machine learns it within seconds.`,
      `Undo  npx ampere instance revoke ${id}`,
    ])
    return EXIT.ok
  })
}

/** The request with the code that was typed. @throws AmpereError NOT_FOUND, VERIFICATION_FAILED; CommanderError (usage) */
export async function requestWith(
  { connection }: RegistrySession,
  { terminal }: Screen,
  typed: string,
): Promise<SeenEnrolment> {
  const code = parseCode(typed)
  if (code === null) throw usage('a code has 12 characters, such as 7K2M-9XQ4-RT0V')
  for (let look = 1; ; look++) {
    try {
      return await enrolmentByCode(connection, code)
    } catch (error) {
      if (!isAmpereError(error, 'NOT_FOUND')) throw error
      if (look === LOOKS)
        throw refuse(
          'NOT_FOUND',
          `no machine asks with the code ${shownCode(code)}`,
          'npx ampere instance requests',
        )
      await terminal.wait(LOOK_MS)
    }
  }
}

function checkAnswerable(
  session: RegistrySession,
  { request, state }: SeenEnrolment,
  isEntered: boolean,
): void {
  if (state === 'refused') throw refuse('ALREADY_EXISTS', 'this request was refused already')
  if (isEntered) return
  if (state === 'expired') throw refuse('GONE', 'this request has expired', 'have the machine ask again')
  const known = getRecord(session.state(), `instance/${request.instance}`)
  if (known?.kind === 'instance' && known.status === 'active') {
    const message = `there is an active instance ${request.instance} with another key: nobody takes its place unseen`
    throw refuse(
      'ALREADY_EXISTS',
      message,
      `npx ampere instance revoke ${request.instance}, or have the machine ask with another --name`,
    )
  }
}

function wordsOf({ code, request }: SeenEnrolment, reads: boolean, expires: string): readonly string[] {
  const { institution, instance, capabilities, sealTo, time } = request
  return [
    `The machine with the code ${shownCode(code)}, which asked at ${localTime(time)}, becomes ${instance} of ${institution}. It may`,
    ...capabilityLines(capabilities),
    ...(reads
      ? [
          `  - READ everything that was and will be granted to ${institution}: it gets its sealing key, which cannot be taken back`,
        ]
      : [
          `  It gets no sealing key, and neither reads nor writes records.${sealTo === null ? '' : ' It asked to read: --reads grants that.'}`,
        ]),
    `It expires at ${localTime(expires)} unless it renews itself, which it does while its key is not revoked.`,
  ]
}
