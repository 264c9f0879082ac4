// SPDX-License-Identifier: Apache-2.0
import type { ActingOptions } from '../../deployment/session.ts'
import { withClients } from '../../open/clients.ts'
import type { Call } from '../../program/command.ts'
import { EXIT } from '../../terminal/screen.ts'
import { clientJson, clientLines, knownClient } from './shown.ts'

/** Shows one client. */
export async function showClient(call: Call<ActingOptions>): Promise<number> {
  return withClients(call, async (open) => {
    const client = await knownClient(open, call.args[0] ?? '')
    call.screen.print({ ok: true, ...clientJson(client) }, [client.id, ...clientLines(client)])
    return EXIT.ok
  })
}
