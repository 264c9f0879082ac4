// SPDX-License-Identifier: Apache-2.0
import type { Ports } from '#core/ports/needs.ts'
import type { RoleApp } from '../host/app.ts'
import type { Serving } from '../host/serving.ts'
import { registrarApp } from './app.ts'
import type { role } from './role.ts'

/** Opens the registrar. */
export function open(ports: Ports<(typeof role)['needs']>, { home, hosting }: Serving): RoleApp {
  return registrarApp(ports, home, hosting)
}
