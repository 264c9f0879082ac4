// SPDX-License-Identifier: Apache-2.0
import type { ActingOptions } from '../../deployment/session.ts'
import { withClients } from '../../open/clients.ts'
import type { Call } from '../../program/command.ts'
import { EXIT } from '../../terminal/screen.ts'
import { clientJson, knownClient } from './shown.ts'

/** Gives a client no token any more, and ends those that it has. */
export async function suspendClient(call: Call<ActingOptions>): Promise<number> {
  return withClients(call, async (open) => {
    const { id, status } = await knownClient(open, call.args[0] ?? '')
    const isChanged = status === 'active'
    const client = isChanged ? await open.clients.suspend(id) : await knownClient(open, id)
    call.screen.print({ ok: true, changed: isChanged, ...clientJson(client) }, [
      isChanged
        ? `${id} is suspended: tokens that it had are good for nothing, and it gets none.`
        : `${id} is suspended already. Nothing was changed.`,
      `Undo  npx ampere client add ${id} --jwks FILE --scopes SCOPES --as ${open.institution}, which registers it anew`,
    ])
    return EXIT.ok
  })
}
