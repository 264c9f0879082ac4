// SPDX-License-Identifier: Apache-2.0
import type { NamedKeys } from '#core/api/discovery.ts'
import { LOG_PREFIX, WITNESS_PREFIX } from '#core/api/log.ts'
import { formatVerifierKey, type LogKey } from '#core/log/note/key.ts'
import type { Ports } from '#core/ports/needs.ts'
import type { Home } from '#core/server/home.ts'
import type { RoleApp } from '../host/app.ts'
import type { Serving } from '../host/serving.ts'
import { discoveryApp } from './app.ts'
import type { role } from './role.ts'

/** Opens what says what a home is. */
export function open(ports: Ports<(typeof role)['needs']>, serving: Serving): RoleApp {
  const { home, hosting, roles, bridges, document, isLogging, bodies, logKeys, witnessKeys } = serving
  return discoveryApp(ports, home, hosting, {
    roles,
    bridges,
    document,
    isLogging,
    bodies,
    log: namedKeys(home, LOG_PREFIX, logKeys),
    witness: namedKeys(home, WITNESS_PREFIX, witnessKeys),
  })
}

/** Keys with their one name, and where what they sign is served. */
function namedKeys({ origin }: Home, prefix: string, keys: readonly LogKey[]): NamedKeys {
  return { name: keys[0]?.name ?? '', url: `${origin}${prefix}`, keys: keys.map(formatVerifierKey) }
}
