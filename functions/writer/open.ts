// SPDX-License-Identifier: Apache-2.0
import type { Ports } from '#core/ports/needs.ts'
import type { RoleApp } from '../host/app.ts'
import type { Serving } from '../host/serving.ts'
import { writerApp } from './app.ts'
import type { role } from './role.ts'

/** Opens the writer. A block that is admitted by a wrong clock would end its record: none later may be dated before it. */
export function open(ports: Ports<(typeof role)['needs']>, serving: Serving): RoleApp {
  return writerApp({ ...ports, now: serving.dated }, serving.home, serving.hosting, serving)
}
