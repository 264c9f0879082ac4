// SPDX-License-Identifier: Apache-2.0
import { LIMIT_VALUES, LINKS, type HomeAnswer, type JwksAnswer, type NamedKeys } from '#core/api/discovery.ts'
import { algorithmOf } from '#core/crypto/jwk.ts'
import type { BodiesAnswer } from '#core/api/large/upload.ts'
import { AmpereError, isAmpereError } from '#core/errors.ts'
import type { Ports } from '#core/ports/needs.ts'
import { headKeyAt } from '#core/registry/snapshot.ts'
import { recordsIn } from '#core/registry/state.ts'
import { readFollowing } from '#core/server/follow/standing.ts'
import type { Home } from '#core/server/home.ts'
import * as log from '#core/server/read/read-log.ts'
import { REGISTRY_PARTITION } from '#core/server/store/registry.ts'
import { heightKey } from '#core/server/store/rows.ts'
import type { Hosting, RoleApp } from '../host/app.ts'
import { createRoleApp, route } from '../host/operation.ts'
import { sendCheckpoint, sendLogFile } from './log.ts'
import {
  readCheckpoint,
  readDescription,
  readHome,
  readKeys,
  readLive,
  readLogFile,
  readReady,
} from './operations.ts'
import type { role } from './role.ts'

/** How long an answer that changes with the registry or a release may be cached. */
const CACHE = { 'cache-control': 'public, max-age=60' }

/** What this app says of the whole home. */
export interface Described {
  readonly roles: readonly string[]
  /** Institutions whose bridges run in the same account. */
  readonly bridges: readonly string[]
  /** The OpenAPI document as text, made when it is first asked for. */
  readonly document: () => string
  /** False while the log cannot be written. */
  readonly isLogging: () => boolean | Promise<boolean>
  /** Public keys of roles that sign; this role holds none. */
  readonly log: NamedKeys
  readonly witness: NamedKeys
  readonly bodies: BodiesAnswer
}

/** Serves what anybody may know of a home. */
export function discoveryApp(
  ports: Ports<(typeof role)['needs']>,
  home: Home,
  hosting: Hosting,
  described: Described,
): RoleApp {
  return createRoleApp('discovery', hosting, [
    route(readLive, async (c) => c.json({ status: 'live' })),
    route(readReady, async (c) => {
      await checkStore(ports)
      const logs = (await described.isLogging()) ? 'ok' : 'failing'
      return c.json({ status: 'ready', log: logs, registry: (await sayFollowing(ports, home)).standing })
    }),
    route(readHome, async (c) =>
      c.json(sayHome(home, described, await sayFollowing(ports, home)), 200, CACHE),
    ),
    route(readKeys, async (c) =>
      c.json(await headKeys(home), 200, { ...CACHE, 'content-type': 'application/jwk-set+json' }),
    ),
    route(readDescription, async (c) =>
      c.body(described.document(), 200, { ...CACHE, 'content-type': 'application/json' }),
    ),
    route(readCheckpoint, async (c) => sendCheckpoint(c, await log.readCheckpoint(ports))),
    route(readLogFile, async (c, { path }) => {
      const name = `tile/${path.tile}`
      return sendLogFile(c, name, await log.readLogFile(ports, name))
    }),
  ])
}

/** One cheap read. Whatever is wrong, the answer is the same: not now. @throws AmpereError STORE_UNAVAILABLE */
async function checkStore(ports: Ports<(typeof role)['needs']>): Promise<void> {
  let genesis
  try {
    genesis = await ports.tables.registry.get(REGISTRY_PARTITION, heightKey(0))
  } catch (cause) {
    throw new AmpereError('STORE_UNAVAILABLE', 'the store does not answer', { cause })
  }
  if (!genesis) throw new AmpereError('STORE_UNAVAILABLE', 'the registry is not in the store')
}

/** Whoever asks learns what is known, also that nothing is: a home is described whatever its store does. */
async function sayFollowing(
  ports: Ports<(typeof role)['needs']>,
  home: Home,
): Promise<NonNullable<HomeAnswer['following']>> {
  try {
    const { registry, origin, seen } = await readFollowing(ports, home)
    return { standing: registry, home: origin, seen }
  } catch (error) {
    if (!isAmpereError(error)) throw error
    return { standing: 'unknown', home: null, seen: null }
  }
}

function sayHome(
  home: Home,
  { roles, bridges, log: ownLog, witness, bodies }: Described,
  following: HomeAnswer['following'],
): HomeAnswer {
  return {
    deployment: home.deployment,
    origin: home.origin,
    registry: home.registry.pinned,
    following,
    durability: home.durability,
    log: ownLog,
    witness,
    roles: [...roles],
    bridges: [...bridges],
    limits: LIMIT_VALUES,
    bodies,
    links: LINKS,
  }
}

async function headKeys(home: Home): Promise<JwksAnswer> {
  const history = await home.registry.refresh()
  const link = history.link()
  const view = history.newest()
  const keys: JwksAnswer['keys'] = []
  for (const record of link ? recordsIn(link.state) : []) {
    if (record.kind !== 'key') continue
    const jwk = headKeyAt(view, record.kid, home.origin)
    if (jwk)
      keys.push({ ...jwk, alg: algorithmOf(jwk), kid: record.kid, use: 'sig' } as JwksAnswer['keys'][0])
  }
  return { keys: keys.toSorted((a, b) => (a.kid < b.kid ? -1 : 1)) }
}
