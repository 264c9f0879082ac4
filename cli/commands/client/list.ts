// SPDX-License-Identifier: Apache-2.0
import { formatScopes } from '#core/token/scopes.ts'
import type { ActingOptions } from '../../deployment/session.ts'
import { withClients } from '../../open/clients.ts'
import type { Call } from '../../program/command.ts'
import { EXIT } from '../../terminal/screen.ts'
import { columns, plain } from '../../terminal/words.ts'
import { clientJson } from './shown.ts'

/** Lists the clients of an institution's bridge. */
export async function listClients(call: Call<ActingOptions>): Promise<number> {
  return withClients(call, async ({ clients, institution, cloud }) => {
    const all = await clients.list()
    const rows = all.map(({ id, name, status, scopes }) => [id, status, plain(name), formatScopes(scopes)])
    const none =
      cloud === null
        ? `${institution} has no client: its bridge answers whoever reaches it, on this computer only, unless it was started with --require-login.`
        : `${institution} has no client in ${cloud}: its bridge answers nobody.`
    const at = cloud === null ? '' : ` --cloud ${cloud}`
    const next = `Next: npx ampere client add ID --jwks FILE --scopes "system/*.rs"${at}`
    call.screen.print(
      { ok: true, items: all.map(clientJson) },
      all.length > 0 ? columns(rows, '') : [none, next],
    )
    return EXIT.ok
  })
}
