// SPDX-License-Identifier: Apache-2.0
import { isAmpereError } from '#core/errors.ts'
import type { Home } from '#core/server/home.ts'
import type { Platform } from '#core/ports/needs.ts'
import { select } from '#core/ports/needs.ts'
import { carryOutErasures, ERASER_NEEDS, type EraserPorts } from '#core/server/erase.ts'
import { role as auditor } from './auditor/role.ts'
import { auditorApp } from './auditor/app.ts'
import { createApp, type Hosting, type RoleApp } from './host/app.ts'
import { role as reader } from './reader/role.ts'
import { readerApp } from './reader/app.ts'
import { role as registrar } from './registrar/role.ts'
import { registrarApp } from './registrar/app.ts'
import { doChores } from './sweeper/chores.ts'
import { role as sweeper } from './sweeper/role.ts'
import { role as writer } from './writer/role.ts'
import { writerApp } from './writer/app.ts'

/** Every role of a home. */
export const HOME_ROLES = [writer, reader, registrar, auditor, sweeper] as const

/** A home with all its roles in one process, each still with no more than its own ports. */
export async function homeApp(platform: Platform, home: Home, hosting: Hosting): Promise<RoleApp> {
  const eraser = await select(platform, ERASER_NEEDS)
  await eraseFirst(eraser, home, hosting)
  const app = createApp('home', hosting)
  app.get('/health/live', (c) => c.json({ status: 'live' }))
  app.get('/.well-known/ampere', (c) =>
    c.json({
      deployment: home.deployment,
      origin: home.origin,
      registry: home.registry.pinned,
      durability: home.durability,
      roles: roleNames(),
    }),
  )
  const parts = [
    writerApp(await select(platform, writer.needs), eraser, home, hosting),
    readerApp(await select(platform, reader.needs), home, hosting),
    registrarApp(await select(platform, registrar.needs), home, hosting),
    auditorApp(await select(platform, auditor.needs), home, hosting),
  ]
  for (const part of parts) app.route('/', part)
  return app
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

function roleNames(): string[] {
  return HOME_ROLES.map((role) => role.name)
}
