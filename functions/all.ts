// SPDX-License-Identifier: Apache-2.0
import { isAmpereError } from '#core/errors.ts'
import type { Policy } from '#core/log/policy/policy.ts'
import type { Home } from '#core/server/home.ts'
import type { Platform } from '#core/ports/needs.ts'
import { select } from '#core/ports/needs.ts'
import { carryOutErasures, ERASER_NEEDS, type EraserPorts } from '#core/server/erase.ts'
import * as audits from './auditor/operations.ts'
import { role as auditor } from './auditor/role.ts'
import { auditorApp } from './auditor/app.ts'
import * as discoveries from './discovery/operations.ts'
import { role as discovery } from './discovery/role.ts'
import { discoveryApp } from './discovery/app.ts'
import { createApp, type Hosting, type RoleApp } from './host/app.ts'
import { openApiDocument } from './host/openapi.ts'
import { answerTheRest, type Operation } from './host/operation.ts'
import * as holding from './reader/hold-operations.ts'
import * as reads from './reader/operations.ts'
import { role as reader } from './reader/role.ts'
import { readerApp } from './reader/app.ts'
import * as registrations from './registrar/operations.ts'
import { role as registrar } from './registrar/role.ts'
import { registrarApp } from './registrar/app.ts'
import { doChores } from './sweeper/chores.ts'
import { role as sweeper } from './sweeper/role.ts'
import { createSequencing } from './sequencer/sequencing.ts'
import { role as sequencer } from './sequencer/role.ts'
import * as cosigning from './witness/operations.ts'
import { role as witness } from './witness/role.ts'
import { witnessApp } from './witness/app.ts'
import * as writes from './writer/operations.ts'
import { role as writer } from './writer/role.ts'
import type { LogGrown } from './writer/await-receipt.ts'
import { writerApp } from './writer/app.ts'

/** Every role of a home. */
export const HOME_ROLES = [
  discovery,
  writer,
  reader,
  registrar,
  auditor,
  sequencer,
  witness,
  sweeper,
] as const

/** Every operation of a home, by role. */
export const HOME_OPERATIONS: Readonly<Record<(typeof HOME_ROLES)[number]['name'], readonly Operation[]>> = {
  discovery: Object.values(discoveries),
  writer: Object.values(writes),
  reader: [...Object.values(reads), ...Object.values(holding)],
  registrar: Object.values(registrations),
  auditor: Object.values(audits),
  sequencer: [],
  witness: Object.values(cosigning),
  sweeper: [],
}

/** Between two looks at the log on behalf of those who wait, in milliseconds. */
const WAIT_PAUSE_MS = 10
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** A home that answers, and what looks after its log: to be called every `SEQUENCE_MS`, and whenever somebody waits. */
export interface HomeApp {
  readonly app: RoleApp
  readonly tendLog: () => Promise<void>
}

/** How a home's log is kept. */
export interface LogOptions {
  /** Who must have cosigned before a receipt is witnessed; without one none ever is. */
  readonly policy?: Policy | null
  readonly pause?: (ms: number) => Promise<void>
}

/** A home with all its roles in one process, each still with no more than its own ports. */
export async function homeApp(
  platform: Platform,
  home: Home,
  hosting: Hosting,
  { policy = null, pause = sleep }: LogOptions = {},
): Promise<HomeApp> {
  const eraser = await select(platform, ERASER_NEEDS)
  await eraseFirst(eraser, home, hosting)
  const log = createSequencing(await select(platform, sequencer.needs), home, policy, hosting.log)
  const logGrown: LogGrown = async (level) => {
    await log.sequence()
    if (level === 'witnessed') await log.cosign()
    // What is waited for may be the work of others: witnesses, or another sequencer.
    await pause(WAIT_PAUSE_MS)
  }
  const app = createApp('home', hosting)
  const parts = [
    discoveryApp(await select(platform, discovery.needs), home, hosting, describeHome()),
    writerApp(await select(platform, writer.needs), eraser, home, hosting, logGrown),
    readerApp(await select(platform, reader.needs), home, hosting),
    registrarApp(await select(platform, registrar.needs), home, hosting),
    auditorApp(await select(platform, auditor.needs), home, hosting),
    witnessApp(await select(platform, witness.needs), home, hosting),
  ]
  for (const part of parts) app.route('/', part)
  answerTheRest(app, Object.values(HOME_OPERATIONS).flat(), hosting)
  return {
    app,
    tendLog: async () => {
      await log.sequence()
      await log.cosign()
    },
  }
}

/** What a home does on schedule beside answering; to be called every `CHORES_MS`. */
export async function homeChores(
  platform: Platform,
  home: Home,
  hosting: Hosting,
): Promise<() => Promise<void>> {
  const ports = {
    eraser: await select(platform, ERASER_NEEDS),
    sweeper: await select(platform, sweeper.needs),
  }
  return () => doChores(ports, home, hosting.log)
}

/** What the home's public role says of all roles. */
function describeHome(): { readonly roles: readonly string[]; readonly document: () => string } {
  let document: string | null = null
  return {
    roles: HOME_ROLES.map((role) => role.name),
    document: () => (document ??= JSON.stringify(homeDocument())),
  }
}

/** The OpenAPI document of a home, the same wherever it runs. */
export function homeDocument(): object {
  return openApiDocument(HOME_OPERATIONS)
}

/**
 * A restored store must erase again before it serves anything. One damaged record must not stop all others:
 * its erasure waits, and is said in the log and by every audit.
 */
async function eraseFirst(eraser: EraserPorts, home: Home, hosting: Hosting): Promise<void> {
  try {
    await carryOutErasures(eraser, home)
  } catch (error) {
    if (!isAmpereError(error, 'STORE_CORRUPT')) throw error
    hosting.log({ event: 'erasure-waits', code: error.code })
  }
}
