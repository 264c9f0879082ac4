// SPDX-License-Identifier: Apache-2.0
import type { ActingOptions } from '../../deployment/session.ts'
import { withClients } from '../../open/clients.ts'
import type { Call } from '../../program/command.ts'
import { EXIT } from '../../terminal/screen.ts'
import { confirmAct } from '../../witness/confirm-keys.ts'
import { knownClient } from './shown.ts'

interface RemoveOptions extends ActingOptions {
  readonly yes?: boolean
}

/** Removes a client, and says what that opens. */
export async function removeClient(call: Call<RemoveOptions>): Promise<number> {
  return withClients(call, async (open) => {
    const { id } = await knownClient(open, call.args[0] ?? '')
    const isLast = (await open.clients.list()).length === 1
    const opens = `It is the last client of ${open.institution}: its bridge then answers whoever reaches it, on this computer only, unless it was started with --require-login.`
    await confirmAct(
      call.screen,
      [
        `${id} gets no token any more, and those that it has are good for nothing.`,
        ...(isLast && open.cloud === null ? [opens] : []),
      ],
      call.options.yes,
    )
    const isChanged = await open.clients.remove(id)
    call.screen.print({ ok: true, changed: isChanged, id, last: isLast }, [`${id} is removed.`])
    return EXIT.ok
  })
}
