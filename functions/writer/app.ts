// SPDX-License-Identifier: Apache-2.0
import { APPEND_TYPE, decodeAppend } from '#core/api/append.ts'
import { MAX_APPEND_BYTES } from '#core/api/limits.ts'
import { appendBlock, type WriterPorts } from '#core/server/append/append.ts'
import { carryOutErasure, type EraserPorts } from '#core/server/erase.ts'
import type { Home } from '#core/server/home.ts'
import { createApp, readBody, requireType, type Hosting, type RoleApp } from '../host/app.ts'

/** Appends blocks. A block is its own credential: what it may do is in its signature and the chain. */
export function writerApp(ports: WriterPorts, eraser: EraserPorts, home: Home, hosting: Hosting): RoleApp {
  const app = createApp('writer', hosting)
  app.post('/v1/blocks', async (c) => {
    requireType(c.req.raw, APPEND_TYPE)
    const append = decodeAppend(await readBody(c.req.raw, MAX_APPEND_BYTES))
    const { stored, answer } = await appendBlock(ports, home, append)
    const { block, chain } = stored
    // The order is durable; carrying it out is repeated at start and on schedule if this process ends here.
    if (block.type === 'erase' && block.body.act === 'complete') {
      await carryOutErasure(eraser, home, chain, block.height)
    }
    return c.json(answer, 201)
  })
  return app
}
