// SPDX-License-Identifier: Apache-2.0
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { formatScopes } from '#core/token/scopes.ts'
import { noneSuch } from '../../program/refuse.ts'
import { localTime, plain } from '../../terminal/words.ts'
import type { OpenClients, ShownClient } from '../../open/client-register.ts'

/** A client as --json prints it. */
export function clientJson(client: ShownClient): Readonly<Record<string, unknown>> {
  const { id, name, status, scopes, jwksUrl, keys, changedMs } = client
  const shown = keys.map(({ kid, alg }) => ({ kid, alg }))
  return {
    id,
    name,
    status,
    scopes: formatScopes(scopes),
    jwksUrl,
    keys: shown,
    since: toTimestamp(changedMs),
  }
}

/** A client as people read it. */
export function clientLines({ name, status, scopes, jwksUrl, keys, changedMs }: ShownClient): string[] {
  const kept = keys.map(({ kid, alg }) => `${plain(kid)} (${alg})`).join(', ')
  return [
    `  name         ${plain(name)}`,
    `  status       ${status}, since ${localTime(toTimestamp(changedMs))}`,
    `  scopes       ${formatScopes(scopes)}`,
    `  keys         ${jwksUrl === null ? kept : `at ${jwksUrl}`}`,
  ]
}

/** @throws AmpereError NOT_FOUND, naming those that there are */
export async function knownClient(open: OpenClients, id: string): Promise<ShownClient> {
  const { clients, institution } = open
  const client = await clients.find(id)
  if (client) return client
  const known = (await clients.list()).map((one) => one.id)
  throw noneSuch(id, `is no client of ${institution}`, known, `npx ampere client list --as ${institution}`)
}
