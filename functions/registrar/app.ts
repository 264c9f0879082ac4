// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { MAX_PAGE_BLOCKS } from '#core/api/limits.ts'
import type { Home } from '#core/server/home.ts'
import {
  addRegistryBlock,
  readRecordProof,
  readRegistryBlocks,
  type RegistrarPorts,
} from '#core/server/registrar.ts'
import { countParameter, createApp, readBody, requireType, type Hosting, type RoleApp } from '../host/app.ts'

const MAX_REGISTRY_BLOCK_BYTES = 128 * 1024

/** Keeps the whitelist. It is public to read: it names institutions, software and keys, never a patient. */
export function registrarApp(ports: RegistrarPorts, home: Home, hosting: Hosting): RoleApp {
  const app = createApp('registrar', hosting)
  app.get('/v1/registry/blocks', async (c) => {
    const url = new URL(c.req.url)
    const limit = Math.max(1, countParameter(url, 'limit', MAX_PAGE_BLOCKS))
    return c.json(await readRegistryBlocks(ports, countParameter(url, 'from', 0), limit))
  })
  app.get('/v1/registry/records/:key{.+}', async (c) =>
    c.json(await readRecordProof(home, c.req.param('key'))),
  )
  app.post('/v1/registry/blocks', async (c) => {
    requireType(c.req.raw, 'application/jose')
    const compact = fromUtf8(await readBody(c.req.raw, MAX_REGISTRY_BLOCK_BYTES))
    return c.json({ id: await addRegistryBlock(ports, home, compact) }, 201)
  })
  return app
}
