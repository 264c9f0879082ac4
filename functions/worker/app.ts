// SPDX-License-Identifier: Apache-2.0
import { MAX_JOB_SLICE_MS } from '#core/api/large/job-limits.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { AmpereError, isAmpereError } from '#core/errors.ts'
import { createQuotas } from '#core/server/append/quota.ts'
import type { LogTrust } from '#core/server/audit/log/needs.ts'
import type { Caller } from '#core/server/authenticate.ts'
import type { Home } from '#core/server/home.ts'
import { workOn, workOnAll, type Worker } from '#core/server/job/advance.ts'
import { appendJobs } from '#core/server/job/kinds/append.ts'
import { chainAuditJobs } from '#core/server/job/kinds/audit-chains.ts'
import { logAuditJobs } from '#core/server/job/kinds/audit-log.ts'
import type { WorkerPorts } from '#core/server/job/needs.ts'
import { isOver, jobKey, JOBS_RUN, parseJob, type Job } from '#core/server/job/row.ts'
import { findChain } from '#core/server/read/read-chain.ts'
import type { Hosting, RoleApp } from '../host/app.ts'
import { callerOf } from '../host/caller.ts'
import { createRoleApp, route } from '../host/operation.ts'
import { sendJob } from '../host/respond-async.ts'
import * as operations from './operations.ts'

/** How often a home takes its jobs on by itself, in milliseconds. */
export const JOBS_MS = 60_000

/** What does the jobs of a home. */
export function createWorker(ports: WorkerPorts, home: Home, trust: LogTrust, hosting: Hosting): Worker {
  const writing = { ...ports, uploads: null }
  return {
    jobs: ports.tables.jobs,
    now: ports.now,
    kinds: {
      append: appendJobs(writing, home, createQuotas(ports)),
      'audit-chains': chainAuditJobs(ports, home),
      'audit-log': logAuditJobs(ports, home, trust),
    },
    failed: (code) => hosting.log({ event: 'job-failed', role: 'worker', code }),
  }
}

/** Takes on every job that waits, unless the home is behind: then it signs nothing, so nothing is done. Never rejects. */
export async function doJobs(
  worker: Worker,
  isBehind: () => Promise<boolean>,
  hosting: Hosting,
): Promise<void> {
  try {
    if (await isBehind()) return
    const untilMs = worker.now() + JOBS_MS / 2
    const count = await workOnAll(worker, () => worker.now() >= untilMs)
    if (count > 0) hosting.log({ event: 'jobs', role: 'worker', count })
  } catch (error) {
    hosting.log({
      event: 'jobs-failed',
      role: 'worker',
      code: isAmpereError(error) ? error.code : 'UNEXPECTED',
    })
  }
}

/** Tells how far jobs came, and takes them on. */
export function workerApp(ports: WorkerPorts, home: Home, worker: Worker, hosting: Hosting): RoleApp {
  return createRoleApp('worker', hosting, [
    route(operations.readJob, async (c, { path, query }) => {
      const state = query.chain === undefined ? null : await stateOf(ports, query.chain)
      const caller = await callerOf(c, home, ports.now, state)
      const key = jobKey({ owner: caller.reader, id: path.id })
      const row = await ports.tables.jobs.get(JOBS_RUN, key)
      if (!row || !maySee(caller, parseJob(row.value))) throw noJob()
      const untilMs = hosting.now() + MAX_JOB_SLICE_MS
      const job = await workOn(worker, key, () => hosting.now() >= untilMs)
      if (!job) throw noJob()
      return sendJob(c, job, isOver(job) ? 200 : 202, ports.now())
    }),
  ])
}

/** What an audit found is for who may audit. */
function maySee({ capabilities }: Caller, { kind }: Job): boolean {
  return kind === 'append' || capabilities.includes('control')
}

function noJob(): AmpereError {
  return new AmpereError('NOT_FOUND', 'no such job')
}

async function stateOf(ports: WorkerPorts, chain: ChainId) {
  try {
    return (await findChain(ports, chain)).state
  } catch (error) {
    if (isAmpereError(error, 'NOT_FOUND')) return null
    throw error
  }
}
