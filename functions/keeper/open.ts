// SPDX-License-Identifier: Apache-2.0
import type { Ports } from '#core/ports/needs.ts'
import type { RoleApp } from '../host/app.ts'
import type { Serving } from '../host/serving.ts'
import { keeperApp } from './app.ts'
import type { role } from './role.ts'

/** Opens what answers from copies of other homes. */
export function open(ports: Ports<(typeof role)['needs']>, { home, mirrored, hosting }: Serving): RoleApp {
  return keeperApp(ports, home, mirrored, hosting)
}
