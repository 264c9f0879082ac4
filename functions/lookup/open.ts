// SPDX-License-Identifier: Apache-2.0
import type { Ports } from '#core/ports/needs.ts'
import type { RoleApp } from '../host/app.ts'
import type { Serving } from '../host/serving.ts'
import { lookupApp } from './app.ts'
import type { role } from './role.ts'

/** Opens what answers lookups. */
export function open(ports: Ports<(typeof role)['needs']>, { dated, hosting }: Serving): RoleApp {
  return lookupApp({ ...ports, now: dated }, hosting)
}
