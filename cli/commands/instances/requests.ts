// SPDX-License-Identifier: Apache-2.0
import { shownCode } from '#core/bytes/code.ts'
import { readEnrolments } from '#core/client/enrol/ask.ts'
import type { ActingOptions } from '../../deployment/session.ts'
import type { Call } from '../../program/command.ts'
import { EXIT } from '../../terminal/screen.ts'
import { columns, localTime } from '../../terminal/words.ts'
import { withRegistry } from './registry-session.ts'

/** Requests that are shown at most; strangers can make more. */
const MOST = 100

/** Lists the requests of machines that ask to be app instances of an institution. */
export async function listRequests(call: Call<ActingOptions & { readonly all?: boolean }>): Promise<number> {
  return withRegistry(call, async ({ institution, connection }) => {
    const found = await readEnrolments(connection, { most: MOST })
    const items = found
      .filter(({ state }) => call.options.all === true || state === 'waiting')
      .map(({ code, state, request }) => ({
        code: shownCode(code),
        instance: request.instance,
        state,
        capabilities: request.capabilities,
        reads: request.sealTo !== null,
        time: request.time,
      }))
    const rows = items.map((item) => [
      item.code,
      item.instance,
      item.state,
      item.reads ? 'asks to read' : 'without reading',
      item.capabilities.join(' '),
      localTime(item.time),
    ])
    call.screen.print({ ok: true, institution: institution.id, items, isCut: found.length >= MOST }, [
      ...(items.length === 0 ? [`Nobody waits for an answer of ${institution.id}.`] : columns(rows, '')),
      ...(found.length >= MOST ? [`More than ${MOST} ask. Whoever tells you a code is found by it.`] : []),
      ...(items.length === 0
        ? []
        : ['Approve only a code that somebody whom you know told you: npx ampere instance approve CODE']),
    ])
    return EXIT.ok
  })
}
