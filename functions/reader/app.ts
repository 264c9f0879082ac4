// SPDX-License-Identifier: Apache-2.0
import type { Context } from 'hono'
import type { ChainId } from '#core/bytes/ids.ts'
import type { ParsedBlock } from '#core/block/open-block.ts'
import type { ControlState } from '#core/chain/state.ts'
import { AmpereError, isAmpereError } from '#core/errors.ts'
import type { Policy } from '#core/log/policy/policy.ts'
import type { ByteRange } from '#core/ports/objects.ts'
import { checkMayFetch, type Caller } from '#core/server/authenticate.ts'
import { listHeld, readBlockKeys, readMoved, readWitnessed } from '#core/server/read/hold.ts'
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
} from '#core/server/read/read-chain.ts'
import { receiptFinder, type Receipt } from '#core/server/read/receipt.ts'
import { loadBlock } from '#core/server/store/rows.ts'
import type { Hosting, RoleApp } from '../host/app.ts'
import { callerOf } from '../host/caller.ts'
import { sendObject } from '../host/object/send-object.ts'
import { createRoleApp, route } from '../host/operation.ts'
import * as holding from './hold-operations.ts'
import * as operations from './operations.ts'

interface Found {
  readonly head: ParsedBlock
  readonly state: ControlState
  readonly caller: Caller
}

/**
 * Serves blocks and sealed parts to those who have a part in the chain; to all others it does not exist. Receipts are
 * `witnessed` by `policy`, or never where it is null.
 */
export function readerApp(ports: ReaderPorts, home: Home, policy: Policy | null, hosting: Hosting): RoleApp {
  const findReceipt = receiptFinder(ports, policy)
  const find = (c: Context, chain: ChainId) => authorizeRead(ports, home, c, chain)
  return createRoleApp('reader', hosting, [
    route(operations.readHead, async (c, { path }) => {
      const { head, caller } = await find(c, path.chain)
      return c.json(await readHead(ports, home, head, caller))
    }),
    route(operations.readBlocks, async (c, { path, query }) => {
      await find(c, path.chain)
      return c.json(await readBlocks(ports, path.chain, query.from, query.limit))
    }),
    route(operations.readKeyRow, async (c, { path }) => {
      await find(c, path.chain)
      const row = here(await readKeyRow(ports, path.chain, path.name), 'the key row')
      return c.body(row, 200, { 'content-type': 'application/json' })
    }),
    route(operations.readObject, async (c, { path }) => {
      await find(c, path.chain)
      const read = (range?: ByteRange) => readObject(ports, path.chain, path.root, range)
      return sendObject(c, path.root, hosting.maxAnswerBytes ?? null, read)
    }),
    route(operations.readPackages, async (c, { path, query }) => {
      const { caller } = await find(c, path.chain)
      return c.json(await readPackages(ports, path.chain, caller, query.from ?? null))
    }),
    ...holdRoutes(ports, home, find),
    route(operations.readReceipt, async (c, { path, query }) => {
      await find(c, query.chain)
      const stored = await loadBlock(ports.tables.blocks, query.chain, query.height)
      if (stored?.id !== path.block) throw new AmpereError('NOT_FOUND', 'the chain has no such block')
      return sendReceipt(c, await findReceipt(query.chain, query.height))
    }),
    route(operations.readRegistryReceipt, async (c, { path }) =>
      sendReceipt(c, await findReceipt(home.registry.pinned, Number(path.height))),
    ),
    route(operations.readErased, async (c, { path, query }) => {
      await find(c, path.chain)
      return c.json(await readErased(ports, path.chain, query.from ?? null))
    }),
  ])
}

/** What a mirror asks. */
function holdRoutes(ports: ReaderPorts, home: Home, find: (c: Context, chain: ChainId) => Promise<Found>) {
  return [
    route(holding.listHeld, async (c, { query }) =>
      c.json(await listHeld(ports, await callerOf(c, home, ports.now, null), query.from ?? null)),
    ),
    route(holding.readBlockKeys, async (c, { path }) => {
      const { caller } = await find(c, path.chain)
      return c.json(await readBlockKeys(ports, path.chain, Number(path.height), caller))
    }),
    route(holding.readMoved, async (c, { path, query }) => {
      const { caller } = await find(c, path.chain)
      return c.json(await readMoved(ports, path.chain, query.from, caller))
    }),
    route(holding.readWitnessed, async (c, { query }) => c.json(await readWitnessed(ports, query.from))),
  ]
}

function sendReceipt(c: Context, receipt: Receipt | null): Response {
  if (!receipt) throw new AmpereError('NOT_FOUND', 'the block is not in the log yet')
  return c.body(receipt.proof, 200, {
    'content-type': 'text/plain; charset=utf-8',
    'ampere-receipt': receipt.level,
  })
}

async function authorizeRead(ports: ReaderPorts, home: Home, c: Context, chain: ChainId): Promise<Found> {
  const found = await findChain(ports, chain).catch((error: unknown) => {
    if (isAmpereError(error, 'NOT_FOUND')) return null
    throw error
  })
  // Authenticated first, so that a stranger learns nothing about which chains exist.
  const caller = await callerOf(c, home, ports.now, found?.state ?? null)
  if (!found) throw new AmpereError('NOT_FOUND', 'no such chain')
  checkMayFetch(caller, found.state, ports.now())
  return { ...found, caller }
}

/** @throws AmpereError GONE for what is not here */
function here(bytes: Uint8Array | null, what: string): Uint8Array<ArrayBuffer> {
  if (!bytes) throw new AmpereError('GONE', `${what} is not here`)
  return bytes as Uint8Array<ArrayBuffer>
}
