// SPDX-License-Identifier: Apache-2.0
import type { Ports } from '#core/ports/needs.ts'
import type { RoleApp } from '../host/app.ts'
import type { Serving } from '../host/serving.ts'
import { auditorApp } from './app.ts'
import type { role } from './role.ts'

/** Opens the auditor. */
export function open(
  ports: Ports<(typeof role)['needs']>,
  { home, logKeys, policy, hosting }: Serving,
): RoleApp {
  return auditorApp(ports, home, { keys: logKeys, policy }, hosting)
}
