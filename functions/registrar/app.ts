// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '#core/bytes/encoding.ts'
import type { Home } from '#core/server/home.ts'
import {
  addRegistryBlock,
  readRecordProof,
  readRegistryBlocks,
  type RegistrarPorts,
} from '#core/server/registrar.ts'
import type { Hosting, RoleApp } from '../host/app.ts'
import { createRoleApp, route } from '../host/operation.ts'
import * as operations from './operations.ts'

/** Keeps the whitelist. It is public to read: it names institutions, software and keys, never a patient. */
export function registrarApp(ports: RegistrarPorts, home: Home, hosting: Hosting): RoleApp {
  return createRoleApp('registrar', hosting, [
    route(operations.readRegistryBlocks, async (c, { query }) =>
      c.json(await readRegistryBlocks(ports, query.from, query.limit)),
    ),
    route(operations.readRecordProof, async (c, { path }) => c.json(await readRecordProof(home, path.key))),
    route(operations.addRegistryBlock, async (c, { body }) =>
      c.json({ id: await addRegistryBlock(ports, home, fromUtf8(body)) }, 201),
    ),
  ])
}
