// SPDX-License-Identifier: Apache-2.0
import type { Context } from 'hono'
import type { BlocksAnswer } from '#core/api/answers.ts'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import type { Home } from '#core/server/home.ts'
import { createRecordProver } from '#core/server/read/record-proof.ts'
import {
  addRegistryBlock,
  readRecordProof,
  readRegistryBlocks,
  type RegistrarPorts,
} from '#core/server/registrar.ts'
import { readShown, showRevocation } from '#core/server/follow/show-revocation.ts'
import { FOR_EVER, type Hosting, type RoleApp } from '../host/app.ts'
import { createRoleApp, route } from '../host/operation.ts'
import * as operations from './operations.ts'

/** Keeps the whitelist. It is public to read: it names institutions, software and keys, never a patient. */
export function registrarApp(ports: RegistrarPorts, home: Home, hosting: Hosting): RoleApp {
  const prove = createRecordProver(ports, home)
  return createRoleApp('registrar', hosting, [
    route(operations.readRegistryBlocks, async (c, { query }) =>
      answerPage(c, await readRegistryBlocks(ports, query.from, query.limit)),
    ),
    route(operations.readRecordProof, async (c, { path }) =>
      c.json(await readRecordProof(home, path.key), 200, { 'cache-control': 'no-cache' }),
    ),
    route(operations.readRecordProofAt, async (c, { path }) =>
      c.json(await prove(Number(path.height), path.key), 200, { 'cache-control': FOR_EVER }),
    ),
    route(operations.addRegistryBlock, async (c, { body }) =>
      c.json({ id: await addRegistryBlock(ports, home, fromUtf8(body)) }, 201),
    ),
    route(operations.showRevocation, async (c, { body }) =>
      c.json(await showRevocation(ports, home, fromUtf8(body)), 201),
    ),
    route(operations.readRevocations, async (c, { query }) =>
      c.json(
        await readShown(home, { after: query.after ?? null, limit: query.limit, nowMs: ports.now() }),
        200,
        { 'cache-control': 'no-cache' },
      ),
    ),
  ])
}

/** Blocks are only ever added, so a full page stays what it is. */
function answerPage(c: Context, page: BlocksAnswer): Response {
  return c.json(page, 200, { 'cache-control': page.next === null ? 'no-cache' : FOR_EVER })
}
