// SPDX-License-Identifier: Apache-2.0
import type { Context } from 'hono'
import type { BlocksAnswer } from '#core/api/answers.ts'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { answerEnrolment } from '#core/server/enrolment/answer.ts'
import { askToEnrol } from '#core/server/enrolment/ask.ts'
import { findEnrolments, listEnrolments, readEnrolment } from '#core/server/enrolment/list.ts'
import type { EnrolmentPorts } from '#core/server/enrolment/rows.ts'
import { readShown, showRevocation } from '#core/server/follow/show-revocation.ts'
import type { Home } from '#core/server/home.ts'
import { listProposals } from '#core/server/proposals/list.ts'
import { addApproval, addProposal, withdrawProposal } from '#core/server/proposals/propose.ts'
import { createRecordProver } from '#core/server/read/record-proof.ts'
import {
  addRegistryBlock,
  readRecordProof,
  readRegistryBlocks,
  type RegistrarPorts,
} from '#core/server/registrar.ts'
import { FOR_EVER, type Hosting, type RoleApp } from '../host/app.ts'
import { memberOf } from '../host/caller.ts'
import { createRoleApp, route, type Route } from '../host/operation.ts'
import * as enrolments from './enrolment-operations.ts'
import * as operations from './operations.ts'
import * as proposing from './proposal-operations.ts'

const FRESH = { 'cache-control': 'no-cache' }

/** Keeps the whitelist. It is public to read: it names institutions, software and keys, never a patient. */
export function registrarApp(ports: RegistrarPorts & EnrolmentPorts, home: Home, hosting: Hosting): RoleApp {
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
    ...shownRoutes(ports, home),
    ...proposalRoutes(ports, home),
    ...enrolmentRoutes(ports, home),
  ])
}

function shownRoutes(ports: RegistrarPorts, home: Home): readonly Route[] {
  return [
    route(operations.showRevocation, async (c, { body }) =>
      c.json(await showRevocation(ports, home, fromUtf8(body)), 201),
    ),
    route(operations.readRevocations, async (c, { query }) =>
      c.json(
        await readShown(home, { after: query.after ?? null, limit: query.limit, nowMs: ports.now() }),
        200,
        FRESH,
      ),
    ),
  ]
}

function proposalRoutes(ports: RegistrarPorts, home: Home): readonly Route[] {
  return [
    route(proposing.readProposals, async (c, { query }) =>
      c.json(await listProposals(ports, home, query.from), 200, FRESH),
    ),
    route(proposing.addProposal, async (c, { body }) =>
      c.json({ action: await addProposal(ports, home, fromUtf8(body)) }, 201),
    ),
    route(proposing.approveProposal, async (c, { path, body }) => {
      await addApproval(ports, home, path.action, fromUtf8(body))
      return c.json({ action: path.action }, 201)
    }),
    route(proposing.withdrawProposal, async (c, { path, body }) => {
      await withdrawProposal(ports, home, path.action, fromUtf8(body))
      return c.json({ action: path.action }, 201)
    }),
  ]
}

function enrolmentRoutes(ports: EnrolmentPorts, home: Home): readonly Route[] {
  return [
    route(enrolments.askToEnrol, async (c, { body }) =>
      c.json(await askToEnrol(ports, home, fromUtf8(body)), 201),
    ),
    route(enrolments.readEnrolment, async (c, { path, query }) =>
      c.json(await readEnrolment(ports, home, query.institution, path.id), 200, FRESH),
    ),
    route(enrolments.listEnrolments, async (c, { query }) => {
      const institution = await memberOf(c, home, ports.now)
      const code = query.code ?? null
      const page =
        code === null
          ? await listEnrolments(ports, home, institution, query.from ?? null)
          : await findEnrolments(ports, home, institution, code)
      return c.json(page, 200, FRESH)
    }),
    route(enrolments.answerEnrolment, async (c, { path, body }) =>
      c.json(await answerEnrolment(ports, home, path.id, fromUtf8(body)), 201),
    ),
  ]
}

/** Blocks are only ever added, so a full page stays what it is. */
function answerPage(c: Context, page: BlocksAnswer): Response {
  return c.json(page, 200, { 'cache-control': page.next === null ? 'no-cache' : FOR_EVER })
}
