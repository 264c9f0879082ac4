// SPDX-License-Identifier: Apache-2.0
import type { Context } from 'hono'
import { utf8 } from '#core/bytes/encoding.ts'
import type { DeploymentId } from '#core/bytes/ids.ts'
import { AmpereError } from '#core/errors.ts'
import { storedSource } from '#core/server/copy/source.ts'
import type { Home } from '#core/server/home.ts'
import type { KeeperPorts } from '#core/server/mirror/copy-of.ts'
import {
  checkMayRestore,
  checkOperates,
  describeCopy,
  describeRuns,
  findMirrored,
  listCopied,
  openKept,
  type Kept,
  type KeptHome,
} from '#core/server/mirror/kept.ts'
import { readWitnessed } from '#core/server/read/hold.ts'
import { readErased } from '#core/server/read/read-chain.ts'
import { movedPage } from '#core/server/store/moved-receipts.ts'
import { objectName } from '#core/server/store/rows.ts'
import type { Hosting, RoleApp } from '../host/app.ts'
import { callerOf } from '../host/caller.ts'
import { sendObject } from '../host/object/send-object.ts'
import { createRoleApp, route } from '../host/operation.ts'
import * as operations from './operations.ts'

const BYTES = { 'content-type': 'application/octet-stream' }

/** Answers from the copies of other homes that a mirror keeps here. */
export function keeperApp(
  ports: KeeperPorts,
  home: Home,
  homes: () => readonly KeptHome[],
  hosting: Hosting,
): RoleApp {
  const kept = openKept(ports, home, homes)
  const copyFor = async (c: Context, deployment: DeploymentId) => {
    const copy = kept.find(deployment)
    // As to whoever is in no registry that is known here: strangers do not learn whose mirror this is.
    if (!copy) throw new AmpereError('UNAUTHORIZED', 'request: the key is not active')
    await checkMayRestore(copy, await callerOf(c, copy.judge, ports.now, null))
    return { copy, source: storedSource(copy.stores) }
  }
  return createRoleApp('keeper', hosting, [
    route(operations.readMirrored, async (c, { path }) => c.json(await findMirrored(kept.all(), path.chain))),
    route(operations.listCopies, async (c) => {
      await checkOperates(home, await callerOf(c, home, ports.now, null))
      return c.json(await describeRuns(kept.all()))
    }),
    route(operations.readCopy, async (c, { path }) =>
      c.json(await describeCopy((await copyFor(c, path.deployment)).copy)),
    ),
    route(operations.readCopiedRegistry, async (c, { path, query }) => {
      const { source } = await copyFor(c, path.deployment)
      return c.json(await source.registryBlocks(query.from))
    }),
    route(operations.listCopied, async (c, { path, query }) =>
      c.json(await listCopied((await copyFor(c, path.deployment)).copy, query.from ?? null)),
    ),
    route(operations.readCopiedWitnessed, async (c, { path, query }) =>
      c.json(await readWitnessed((await copyFor(c, path.deployment)).copy.stores, query.from)),
    ),
    ...chainRoutes(copyFor, hosting.maxAnswerBytes ?? null),
    route(operations.readCopiedLog, async (c, { path }) => {
      const { source } = await copyFor(c, path.deployment)
      if (path.file !== 'checkpoint') return send(c, await source.logFile(path.file), 'NOT_FOUND')
      const note = await source.checkpoint()
      return send(c, note === null ? null : utf8(note), 'NOT_FOUND')
    }),
  ])
}

type CopyFor = (
  c: Context,
  deployment: DeploymentId,
) => Promise<{ readonly copy: Kept; readonly source: ReturnType<typeof storedSource> }>

function chainRoutes(copyFor: CopyFor, maxBytes: number | null) {
  return [
    route(operations.readCopiedBlocks, async (c, { path, query }) => {
      const { source } = await copyFor(c, path.deployment)
      return c.json(await source.blocks(path.chain, query.from))
    }),
    route(operations.readCopiedRow, async (c, { path }) => {
      const { source } = await copyFor(c, path.deployment)
      return send(c, await source.keyRow(path.chain, path.name), 'GONE', {
        'content-type': 'application/json',
      })
    }),
    route(operations.readCopiedObject, async (c, { path }) => {
      const { copy } = await copyFor(c, path.deployment)
      const name = objectName(path.chain, path.root)
      return sendObject(c, path.root, maxBytes, (range) => copy.stores.objects.entries.fetch(name, range))
    }),
    route(operations.readCopiedKeys, async (c, { path }) => {
      const { source } = await copyFor(c, path.deployment)
      return c.json(await source.blockKeys(path.chain, Number(path.height)))
    }),
    route(operations.readCopiedErased, async (c, { path, query }) => {
      const { copy } = await copyFor(c, path.deployment)
      return c.json(await readErased(copy.stores, path.chain, query.from ?? null))
    }),
    route(operations.readCopiedMoved, async (c, { path, query }) => {
      const { copy } = await copyFor(c, path.deployment)
      return c.json(await movedPage(copy.stores.tables.receipts, path.chain, query.from))
    }),
  ]
}

function send(
  c: Context,
  bytes: Uint8Array | null,
  code: 'GONE' | 'NOT_FOUND',
  headers: Readonly<Record<string, string>> = BYTES,
): Response {
  if (!bytes) throw new AmpereError(code, 'the copy does not have it')
  return c.body(bytes as Uint8Array<ArrayBuffer>, 200, { ...headers })
}
