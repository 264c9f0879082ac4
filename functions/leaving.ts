// SPDX-License-Identifier: Apache-2.0
import { logOriginOf } from '#core/api/log.ts'
import type { LogKey } from '#core/log/note/key.ts'
import type { Policy } from '#core/log/policy/policy.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import type { Home } from '#core/server/home.ts'
import { logKeys } from '#core/server/sequence/tree.ts'
import { createApp, type Hosting, type RoleApp } from './host/app.ts'
import { ANYTHING, notBehind } from './host/not-behind.ts'
import { bodiesOf, type Serving } from './host/serving.ts'
import * as reading from './reader/open.ts'
import { role as reader } from './reader/role.ts'
import * as registering from './registrar/open.ts'
import { role as registrar } from './registrar/role.ts'
import { role as sequencer } from './sequencer/role.ts'
import { createSequencing } from './sequencer/sequencing.ts'
import * as writing from './writer/open.ts'
import { role as writer } from './writer/role.ts'

/** A home as whoever moves it away has it: it is read, takes the last blocks of its chains and of its registry, and logs them. */
export interface LeavingApp {
  readonly app: RoleApp
  readonly tendLog: () => Promise<void>
}

/** Opens no more roles than a home that is left needs, each with its own ports. */
export async function leavingApp(
  platform: Platform,
  home: Home,
  hosting: Hosting,
  { policy, witnessKeys }: { readonly policy: Policy | null; readonly witnessKeys: readonly LogKey[] },
): Promise<LeavingApp> {
  const ports = await select(platform, sequencer.needs)
  const log = createSequencing(ports, home, policy, hosting)
  const serving: Serving = {
    home,
    hosting,
    policy,
    dated: hosting.now,
    logKeys: logKeys(ports, logOriginOf(home.origin)),
    witnessKeys,
    roles: [reader, writer, registrar].map(({ name }) => name),
    bridges: [],
    document: () => '{}',
    isLogging: log.isLogging,
    bodies: bodiesOf(platform, hosting),
    // Where it goes it is carried out too, and what it left there goes with the stores.
    carryOut: async () => {},
    grow: { now: () => log.sequence(), again: () => log.sequence() },
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    watched: () => [],
    mirrored: () => [],
  }
  const app = createApp('home', hosting)
  app.use(notBehind(log.isBehind, ANYTHING))
  app.route('/', writing.open(await select(platform, writer.needs), serving))
  app.route('/', reading.open(await select(platform, reader.needs), serving))
  app.route('/', registering.open(await select(platform, registrar.needs), serving))
  return {
    app,
    tendLog: async () => {
      await log.sequence()
      await log.cosign()
    },
  }
}
