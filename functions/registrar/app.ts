// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { MAX_PAGE_BLOCKS } from '#core/api/limits.ts'
import { AmpereError } from '#core/errors.ts'
import type { Home } from '#core/server/home.ts'
import { createRecordProver } from '#core/server/record-proof.ts'
import {
  addRegistryBlock,
  readRecordProof,
  readRegistryBlocks,
  type RegistrarPorts,
} from '#core/server/registrar.ts'
import { countParameter, createApp, readBody, requireType, type Hosting, type RoleApp } from '../host/app.ts'

/** Caching of what never changes: a year, RFC 9111 and RFC 8246. */
const FOR_EVER = 'public, max-age=31536000, immutable'
const MAX_REGISTRY_BLOCK_BYTES = 128 * 1024

/** Keeps the whitelist. It is public to read: it names institutions, software and keys, never a patient. */
export function registrarApp(ports: RegistrarPorts, home: Home, hosting: Hosting): RoleApp {
  const app = createApp('registrar', hosting)
  app.get('/v1/registry/blocks', async (c) => {
    const url = new URL(c.req.url)
    const limit = Math.max(1, countParameter(url, 'limit', MAX_PAGE_BLOCKS))
    const page = await readRegistryBlocks(ports, countParameter(url, 'from', 0), limit)
    // Blocks are only ever added, so a full page stays what it is.
    return c.json(page, 200, { 'cache-control': page.next === null ? 'no-cache' : FOR_EVER })
  })
  app.get('/v1/registry/records/:key{.+}', async (c) =>
    c.json(await readRecordProof(home, c.req.param('key')), 200, { 'cache-control': 'no-cache' }),
  )
  const prove = createRecordProver(ports, home)
  app.get('/v1/registry/:height{[0-9]+}/records/:key{.+}', async (c) => {
    const { height, key } = c.req.param()
    return c.json(await prove(heightParameter(height), key), 200, { 'cache-control': FOR_EVER })
  })
  app.post('/v1/registry/blocks', async (c) => {
    requireType(c.req.raw, 'application/jose')
    const compact = fromUtf8(await readBody(c.req.raw, MAX_REGISTRY_BLOCK_BYTES))
    return c.json({ id: await addRegistryBlock(ports, home, compact) }, 201)
  })
  return app
}

function heightParameter(text: string): number {
  const height = Number(text)
  if (String(height) === text && Number.isSafeInteger(height)) return height
  throw new AmpereError('REQUEST_MALFORMED', 'the height is not a count')
}
