// SPDX-License-Identifier: Apache-2.0
import { lookUp, readFindings, readMonitored } from '#core/server/monitor/lookup.ts'
import type { LookupPorts } from '#core/server/monitor/needs.ts'
import type { Hosting, RoleApp } from '../host/app.ts'
import { createRoleApp, route } from '../host/operation.ts'
import * as operations from './operations.ts'

/** Answers what is in the logs that this deployment monitors. */
export function lookupApp(ports: LookupPorts, hosting: Hosting): RoleApp {
  return createRoleApp('lookup', hosting, [
    route(operations.lookUpLabel, async (c, { path }) => c.json(await lookUp(ports, path.log, path.label))),
    route(operations.readMonitored, async (c, { path }) => c.json(await readMonitored(ports, path.log))),
    route(operations.listFindings, async (c, { path, query }) =>
      c.json(await readFindings(ports, path.log, query.from)),
    ),
  ])
}
