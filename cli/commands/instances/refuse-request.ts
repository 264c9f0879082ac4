// SPDX-License-Identifier: Apache-2.0
import { shownCode } from '#core/bytes/code.ts'
import { sendRefusal } from '#core/client/enrol/answer.ts'
import type { ActingOptions } from '../../deployment/session.ts'
import { rootSigner } from '../../open/institution.ts'
import type { Call } from '../../program/command.ts'
import { usage } from '../../program/refuse.ts'
import { EXIT } from '../../terminal/screen.ts'
import { requestWith } from './approve.ts'
import { withRegistry } from './registry-session.ts'

/** Longest reason, in characters. */
const MAX_REASON = 200

/** Refuses the request of a machine by its code. */
export async function refuseRequest(
  call: Call<ActingOptions & { readonly reason?: string }>,
): Promise<number> {
  const reason = call.options.reason?.trim() ?? ''
  if (reason === '' || reason.length > MAX_REASON)
    throw usage(`--reason says in at most ${MAX_REASON} characters why; the machine shows it`)
  return withRegistry(call, async (session) => {
    const root = await rootSigner(session.institution)
    const found = await requestWith(session, call.screen, call.args[0] ?? '')
    await sendRefusal(session.connection, found, root, reason)
    const { instance } = found.request
    call.screen.print({ ok: true, instance, code: shownCode(found.code), reason }, [
      `The request of ${instance} (${shownCode(found.code)}) is refused: ${reason}`,
    ])
    return EXIT.ok
  })
}
