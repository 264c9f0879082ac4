// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { decodeAppend } from '#core/api/append.ts'
import { appendBlock } from '#core/server/append/append.ts'
import type { Policy } from '#core/log/policy/policy.ts'
import type { WriterPorts } from '#core/server/append/needs.ts'
import { createQuotas } from '#core/server/append/quota.ts'
import { carryOutErasure, isCarriedOut, type EraserPorts } from '#core/server/erase.ts'
import { addErased } from '#core/server/holders.ts'
import type { Home } from '#core/server/home.ts'
import { beginAppendJob } from '#core/server/job/kinds/append.ts'
import { receiptFinder } from '#core/server/read/receipt.ts'
import { receiptAwaiter, type Waiting } from './await-receipt.ts'
import type { Hosting, RoleApp } from '../host/app.ts'
import { createRoleApp, route } from '../host/operation.ts'
import { prefersAsync, sendBegun } from '../host/respond-async.ts'
import * as operations from './operations.ts'
import { uploadRoutes } from './uploads.ts'

/** Appends blocks. A block is its own credential: what it may do is in its signature and the chain. */
export function writerApp(
  ports: WriterPorts,
  eraser: EraserPorts,
  home: Home,
  hosting: Hosting,
  { policy, ...tending }: Pick<Waiting, 'grow' | 'pause'> & { readonly policy: Policy | null },
): RoleApp {
  const quotas = createQuotas(ports)
  const awaitReceipt = receiptAwaiter({ now: hosting.now, find: receiptFinder(ports, policy), ...tending })
  return createRoleApp('writer', hosting, [
    route(operations.appendBlock, async (c, { body, query }) => {
      const append = decodeAppend(body)
      const isAsync = prefersAsync(c) && append.upload !== undefined && query.wait === undefined
      const job = isAsync ? await beginAppendJob(ports, home, append) : null
      if (job) return sendBegun(c, job, ports.now())
      const appended = await appendBlock(ports, home, quotas, append)
      const { stored, isNew, answer } = appended
      const { block, chain } = stored
      // The order is durable; carrying it out is repeated at start and on schedule if this process ends here.
      const orders = block.type === 'erase' && block.body.act === 'complete'
      if (orders && (isNew || !(await isCarriedOut(eraser, chain, block.height)))) {
        await carryOutErasure(eraser, home, chain, block.height)
      }
      if (query.wait === undefined) return c.json(answer, 201)
      const receipt = await awaitReceipt(appended, query.wait, c.req.raw.signal)
      if (receipt) return c.json({ ...answer, receipt: receipt.proof }, 201)
      const location = `/v1/receipts/${stored.id}?chain=${chain}&height=${block.height}`
      return c.json({ ...answer, receipt: null }, 202, { location })
    }),
    route(operations.addErased, async (c, { path, body }) => {
      const { statement, isNew } = await addErased(ports, home, path.chain, fromUtf8(body))
      return c.json({ statement }, isNew ? 201 : 200)
    }),
    ...uploadRoutes(ports, home),
  ])
}
