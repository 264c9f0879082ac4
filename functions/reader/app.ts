// SPDX-License-Identifier: Apache-2.0
import type { Context } from 'hono'
import { asDigest, type ChainId } from '#core/bytes/ids.ts'
import type { ParsedBlock } from '#core/block/open-block.ts'
import { MAX_PAGE_BLOCKS } from '#core/api/limits.ts'
import type { ControlState } from '#core/chain/state.ts'
import { AmpereError } from '#core/errors.ts'
import { authenticate, checkMayFetch, type Caller } from '#core/server/authenticate.ts'
import type { Home } from '#core/server/home.ts'
import {
  findChain,
  readBlocks,
  readErased,
  readHead,
  readKeyRow,
  readObject,
  readPackages,
  type ReaderPorts,
} from '#core/server/read.ts'
import { chainParameter, countParameter, createApp, type Hosting, type RoleApp } from '../host/app.ts'

interface Asked {
  readonly chain: ChainId
  readonly head: ParsedBlock
  readonly state: ControlState
  readonly caller: Caller
}

/** Serves blocks and sealed parts to those who have a part in the chain; to all others it does not exist. */
export function readerApp(ports: ReaderPorts, home: Home, hosting: Hosting): RoleApp {
  const app = createApp('reader', hosting)
  const asked = (c: Context) => authorizeRead(ports, home, c)
  app.get('/v1/chains/:chain/head', async (c) => c.json(await readHead(ports, home, (await asked(c)).head)))
  app.get('/v1/chains/:chain/blocks', async (c) => {
    const { chain } = await asked(c)
    const url = new URL(c.req.url)
    const limit = Math.max(1, countParameter(url, 'limit', MAX_PAGE_BLOCKS))
    return c.json(await readBlocks(ports, chain, countParameter(url, 'from', 0), limit))
  })
  app.get('/v1/chains/:chain/rows/:name', async (c) => {
    const { chain } = await asked(c)
    return sealed(await readKeyRow(ports, chain, c.req.param('name')), 'application/json', 'the key row')
  })
  app.get('/v1/chains/:chain/objects/:root', async (c) => {
    const { chain } = await asked(c)
    const range = rangeOf(c.req.header('range'))
    const bytes = await readObject(ports, chain, asDigest(c.req.param('root')), range)
    return sealed(bytes, 'application/octet-stream', 'the sealed object', range ? 206 : 200)
  })
  app.get('/v1/chains/:chain/packages', async (c) => {
    const { chain, caller } = await asked(c)
    return c.json(await readPackages(ports, chain, caller))
  })
  app.get('/v1/chains/:chain/erased', async (c) => {
    const { chain } = await asked(c)
    return c.json(await readErased(ports, chain, c.req.query('from') ?? null))
  })
  return app
}

async function authorizeRead(ports: ReaderPorts, home: Home, c: Context): Promise<Asked> {
  const chain = chainParameter(c.req.param('chain') ?? '')
  const found = await findChain(ports, chain).catch((error: unknown) => {
    if (error instanceof AmpereError && error.code === 'NOT_FOUND') return null
    throw error
  })
  const request = {
    method: c.req.method,
    url: new URL(c.req.url),
    body: new Uint8Array(0),
    authorization: c.req.header('authorization') ?? null,
    now: ports.now,
  }
  // Authenticated first, so that a stranger learns nothing about which chains exist.
  const caller = await authenticate(home, request, found?.state ?? null)
  if (!found) throw new AmpereError('NOT_FOUND', 'no such chain')
  checkMayFetch(caller, found.state)
  return { chain, ...found, caller }
}

function sealed(bytes: Uint8Array | null, type: string, what: string, status: 200 | 206 = 200): Response {
  if (!bytes) throw new AmpereError('GONE', `${what} is not here`)
  return new Response(new Uint8Array(bytes), {
    status,
    headers: { 'content-type': type, 'cache-control': 'no-store' },
  })
}

function rangeOf(header: string | undefined): { start: number; end: number } | undefined {
  const match = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(header ?? '')
  return match ? { start: Number(match[1]), end: Number(match[2]) + 1 } : undefined
}
