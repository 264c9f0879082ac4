// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { decodeAppend } from '#core/api/append.ts'
import { appendBlock } from '#core/server/append/append.ts'
import type { AppendPorts } from '#core/server/append/needs.ts'
import { createQuotas } from '#core/server/append/quota.ts'
import { addErased, type HolderPorts } from '#core/server/holders.ts'
import type { Home } from '#core/server/home.ts'
import { beginAppendJob } from '#core/server/job/kinds/append.ts'
import { receiptFinder } from '#core/server/read/receipt.ts'
import { receiptAwaiter } from './await-receipt.ts'
import type { Hosting, RoleApp } from '../host/app.ts'
import type { Serving } from '../host/serving.ts'
import { createRoleApp, route } from '../host/operation.ts'
import { prefersAsync, sendBegun } from '../host/respond-async.ts'
import { silentTelemetry } from '../host/telemetry.ts'
import * as operations from './operations.ts'
import { uploadRoutes } from './uploads.ts'

/** Appends blocks. A block is its own credential: what it may do is in its signature and the chain. */
export function writerApp(
  ports: AppendPorts & HolderPorts,
  home: Home,
  hosting: Hosting,
  { policy, carryOut, ...tending }: Pick<Serving, 'policy' | 'carryOut' | 'grow' | 'pause'>,
): RoleApp {
  const quotas = createQuotas(ports)
  const { now, telemetry = silentTelemetry } = hosting
  const awaitReceipt = receiptAwaiter({ now, find: receiptFinder(ports, policy), ...tending })
  return createRoleApp('writer', hosting, [
    route(operations.appendBlock, async (c, { body, query }) => {
      const append = decodeAppend(body)
      const isAsync = prefersAsync(c) && append.upload !== undefined && query.wait === undefined
      const job = isAsync ? await beginAppendJob(ports, home, append) : null
      if (job) return sendBegun(c, job, ports.now())
      const appended = await appendBlock(ports, home, quotas, append)
      const { stored, answer } = appended
      const { block, chain } = stored
      // The order is durable; carrying it out is repeated at start and on schedule if this process ends here.
      if (block.type === 'erase' && block.body.act === 'complete') await carryOut(chain, block.height)
      if (query.wait === undefined) return c.json(answer, 201)
      const storedMs = now()
      const receipt = await awaitReceipt(appended, query.wait, c.req.raw.signal)
      if (receipt && appended.isNew) telemetry.amount('receipt.wait', Math.max(0, now() - storedMs))
      else if (!receipt) telemetry.amount('receipt.none', 1)
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
