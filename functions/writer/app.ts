// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { APPEND_TYPE, decodeAppend } from '#core/api/append.ts'
import { ERASED_TYPE, MAX_ERASED_BYTES } from '#core/api/erased.ts'
import { MAX_APPEND_BYTES } from '#core/api/limits.ts'
import { appendBlock } from '#core/server/append/append.ts'
import type { WriterPorts } from '#core/server/append/needs.ts'
import { createQuotas } from '#core/server/append/quota.ts'
import { parseBlock } from '#core/block/open-block.ts'
import { carryOutErasure, type EraserPorts } from '#core/server/erase.ts'
import { addErased } from '#core/server/holders.ts'
import type { Home } from '#core/server/home.ts'
import { chainParameter, createApp, readBody, requireType, type Hosting, type RoleApp } from '../host/app.ts'

/** Appends blocks. A block is its own credential: what it may do is in its signature and the chain. */
export function writerApp(ports: WriterPorts, eraser: EraserPorts, home: Home, hosting: Hosting): RoleApp {
  const app = createApp('writer', hosting)
  const quotas = createQuotas(ports)
  app.post('/v1/blocks', async (c) => {
    requireType(c.req.raw, APPEND_TYPE)
    const append = decodeAppend(await readBody(c.req.raw, MAX_APPEND_BYTES))
    const answer = await appendBlock(ports, home, quotas, append)
    const { block, chain } = parseBlock(answer.block)
    // The order is durable; carrying it out is repeated at start and on schedule if this process ends here.
    if (block.type === 'erase' && block.body.act === 'complete') {
      await carryOutErasure(eraser, home, chain, block.height)
    }
    return c.json(answer, 201)
  })
  app.post('/v1/chains/:chain/erased', async (c) => {
    requireType(c.req.raw, ERASED_TYPE)
    const compact = fromUtf8(await readBody(c.req.raw, MAX_ERASED_BYTES))
    const { statement, isNew } = await addErased(ports, home, chainParameter(c.req.param('chain')), compact)
    return c.json({ statement }, isNew ? 201 : 200)
  })
  return app
}
