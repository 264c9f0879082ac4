// SPDX-License-Identifier: Apache-2.0
import { createVerifiers } from '#core/crypto/signature.ts'
import { AmpereError } from '#core/errors.ts'
import type { Needs, Ports } from '#core/ports/needs.ts'
import { select } from '#core/ports/needs.ts'
import type { ReadTable } from '#core/ports/table.ts'
import type { Home } from '#core/server/home.ts'
import { createRegistrySource } from '#core/server/store/registry.ts'
import type { RoleApp } from '../app.ts'
import { createApp } from '../app.ts'
import { ANYTHING, notBehind } from '../not-behind.ts'
import { answerTheRest, type Operation } from '../operation.ts'
import { bodiesOf, type Serving } from '../serving.ts'
import { ROLE_NAMES } from '../role-names.ts'
import { watchedLogs, type CloudConfig } from './config.ts'
import { openStandings } from './gate.ts'
import type { Hosted } from './hosted.ts'

/** What a process of one role of a home has. */
export type Alone = Pick<Hosted<CloudConfig>, 'platform' | 'config' | 'hosting' | 'document'>

/** What answers for one role. */
export interface AnsweringRole<N extends Needs> {
  readonly role: { readonly name: string; readonly needs: N }
  readonly open: (ports: Ports<N>, serving: Serving) => RoleApp
  readonly operations: readonly Operation[]
}

/**
 * Opens one role in a process of its own: with its own ports and no others, and silent while the home is behind, or while nobody
 * told that it is not. Where all roles run together, the sequencer is asked; here its row is read.
 */
export async function openAlone<
  const N extends Needs & { readonly tables: { readonly checkpoints: unknown } },
>(alone: Alone, { role, open, operations }: AnsweringRole<N>): Promise<RoleApp> {
  const { platform, config, hosting } = alone
  const ports = await select(platform, role.needs)
  const { checkpoints } = ports.tables as unknown as { readonly checkpoints: ReadTable }
  const { isBehind, isLogging } = openStandings({ tables: { checkpoints } }, hosting.now)
  const serving: Serving = {
    home: homeOf(config, ports.tables),
    hosting,
    policy: config.policy,
    // The clocks of functions are kept by their platform, and a process that was frozen has no other to compare with.
    dated: hosting.now,
    logKeys: config.logKeys,
    witnessKeys: config.witnessKeys,
    roles: ROLE_NAMES,
    bridges: config.bridges,
    document: alone.document,
    isLogging,
    bodies: bodiesOf(platform, hosting),
    // The eraser is woken by the row that orders it.
    carryOut: async () => {},
    grow: { now: nothing, again: nothing },
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    watched: () => watchedLogs(config),
    mirrored: () => config.mirrored,
  }
  const app = createApp(role.name, hosting)
  app.use(notBehind(isBehind, ANYTHING))
  app.route('/', open(ports, serving))
  answerTheRest(app, operations, hosting)
  return app
}

/**
 * The home, as a process of one role knows it. A role that does not need the registry cannot read it: whoever asks gets
 * AmpereError UNSUPPORTED.
 */
export function homeOf({ deployment, origin, backupDays, registry }: CloudConfig, tables: object): Home {
  const verifiers = createVerifiers()
  const table = (tables as { readonly registry?: ReadTable }).registry ?? { get: refuse, range: refuse }
  return {
    deployment,
    origin,
    durability: 'region',
    backupDays,
    registry: createRegistrySource(table, registry, verifiers),
    verifiers,
  }
}

async function refuse(): Promise<never> {
  throw new AmpereError('UNSUPPORTED', 'this role does not read the registry')
}

async function nothing(): Promise<void> {}
