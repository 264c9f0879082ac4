// SPDX-License-Identifier: Apache-2.0
import { witnessNameOf } from '#core/api/log.ts'
import type { Ports } from '#core/ports/needs.ts'
import type { RoleApp } from '../host/app.ts'
import type { Serving } from '../host/serving.ts'
import { witnessApp } from './app.ts'
import type { role } from './role.ts'

/** Opens the witness. */
export function open(
  ports: Ports<(typeof role)['needs']>,
  { home: { origin, verifiers }, dated, hosting }: Serving,
): RoleApp {
  return witnessApp(ports, { name: witnessNameOf(origin), verifiers, dated }, hosting)
}
