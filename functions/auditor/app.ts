// SPDX-License-Identifier: Apache-2.0
import type { Context } from 'hono'
import type { AuditAnswer, LogAuditAnswer } from '#core/api/answers.ts'
import { MAX_AUDIT_MS } from '#core/api/limits.ts'
import { toBase64url } from '#core/bytes/encoding.ts'
import type { ChainId, Digest } from '#core/bytes/ids.ts'
import { AmpereError } from '#core/errors.ts'
import { listChains, openAudit } from '#core/server/audit/audit.ts'
import { auditWithin } from '#core/server/audit/audit-within.ts'
import { noteAudited } from '#core/server/audit/log/audit-log.ts'
import { auditSlice } from '#core/server/audit/log/run/sliced-audit.ts'
import type { LogTrust } from '#core/server/audit/log/needs.ts'
import type { AuditorPorts } from '#core/server/audit/needs.ts'
import type { Caller } from '#core/server/authenticate.ts'
import type { Home } from '#core/server/home.ts'
import { createJob } from '#core/server/job/create.ts'
import type { LogAuditStart } from '#core/server/job/kinds/audit-log.ts'
import type { Job } from '#core/server/job/row.ts'
import type { Hosting, RoleApp } from '../host/app.ts'
import { callerOf } from '../host/caller.ts'
import { prefersAsync, sendBegun } from '../host/respond-async.ts'
import { createRoleApp, route } from '../host/operation.ts'
import * as operations from './operations.ts'

/** Verifies what the home holds, on demand. Its answers name chains and rules, never contents. */
export function auditorApp(ports: AuditorPorts, home: Home, trust: LogTrust, hosting: Hosting): RoleApp {
  return createRoleApp('auditor', hosting, [
    // Before the chains, whose pattern it has as well.
    route(operations.auditLog, async (c, { query }) => {
      const caller = await checkControls(c, ports, home)
      const until = hosting.now() + MAX_AUDIT_MS
      if (query.from !== undefined && query.since !== undefined)
        throw new AmpereError('REQUEST_MALFORMED', 'parameter since goes with an audit that begins')
      const at = query.since === 'last' ? 'news' : 'all'
      const job =
        prefersAsync(c) && query.from === undefined ? await begin(ports, caller, 'audit-log', at) : null
      if (job) return sendBegun(c, job, ports.now())
      const sinceLast = query.since === 'last'
      const pause = () => hosting.now() > until
      const slice = { cursor: query.from ?? null, sinceLast, pause }
      const { audit, next, leaves } = await auditSlice(ports, home, trust, slice)
      if (next === null) await noteAudited(ports, audit)
      const { report } = audit
      return c.json({ ...report, findings: [...report.findings], leaves, next } satisfies LogAuditAnswer)
    }),
    route(operations.auditChains, async (c, { path, query }) => {
      const caller = await checkControls(c, ports, home)
      if (path.chain !== 'all' && query.from !== undefined)
        throw new AmpereError('REQUEST_MALFORMED', 'parameter from goes with all')
      const isWhole = path.chain === 'all' && query.from === undefined
      const job = prefersAsync(c) && isWhole ? await begin(ports, caller, 'audit-chains', null) : null
      if (job) return sendBegun(c, job, ports.now())
      const until = hosting.now() + MAX_AUDIT_MS
      const isOver = () => hosting.now() > until
      return c.json(
        path.chain === 'all'
          ? await auditAll(ports, home, query.from, isOver)
          : await auditOne(ports, home, path.chain, isOver),
      )
    }),
  ])
}

/** One audit of a kind at a time for each who asks; null where it has to be done at once. */
function begin(
  ports: AuditorPorts,
  { reader: owner }: Caller,
  kind: 'audit-log' | 'audit-chains',
  at: LogAuditStart | null,
): Promise<Job | null> {
  const id = toBase64url(ports.random(32)) as Digest
  const of = kind === 'audit-log' ? 'leaves' : 'chains'
  const start = at ?? ''
  return createJob(
    ports,
    { id, kind, owner, chain: null, at, of },
    (job) => job.kind === kind && (job.at ?? '').startsWith(start),
  )
}

async function checkControls(c: Context, ports: AuditorPorts, home: Home): Promise<Caller> {
  const caller = await callerOf(c, home, ports.now, null)
  if (!caller.capabilities.includes('control'))
    throw new AmpereError('FORBIDDEN', 'auditing needs capability control')
  return caller
}

function tooLong(what: string): AmpereError {
  return new AmpereError(
    'UNSUPPORTED',
    `${what} takes longer than one audit over HTTP may (maxAuditMs); audit it beside the store`,
  )
}

async function auditOne(
  ports: AuditorPorts,
  home: Home,
  chain: ChainId,
  isOver: () => boolean,
): Promise<AuditAnswer> {
  const audit = await openAudit(ports, home)
  const report = await auditWithin(audit, chain, isOver)
  if (!report) throw tooLong('the chain')
  if (report.blocks === 0 && report.findings.length === 0) throw new AmpereError('NOT_FOUND', 'no such chain')
  const findings = [...audit.findings, ...report.findings]
  return { ...report, findings, chains: 1, unfinished: [], next: null }
}

/** Audits chain after chain while there is time. The first of a request has all of it, so that each request gets on. */
async function auditAll(
  ports: AuditorPorts,
  home: Home,
  from: ChainId | undefined,
  isOver: () => boolean,
): Promise<AuditAnswer> {
  const audit = await openAudit(ports, home)
  const total: AuditAnswer = {
    chains: 0,
    blocks: 0,
    entries: 0,
    erased: 0,
    findings: [...audit.findings],
    flags: [],
    unfinished: [],
    next: null,
  }
  for await (const chain of listChains(ports, from ?? null)) {
    const isFirst = total.chains + total.unfinished.length === 0
    if (!isFirst && isOver()) return { ...total, next: chain }
    const report = await auditWithin(audit, chain, isOver)
    if (!report && !isFirst) return { ...total, next: chain }
    if (!report) {
      total.unfinished.push(chain)
      continue
    }
    total.chains++
    total.blocks += report.blocks
    total.entries += report.entries
    total.erased += report.erased
    total.findings.push(...report.findings)
    total.flags.push(...report.flags)
  }
  return total
}
