// SPDX-License-Identifier: Apache-2.0
import { JOB_LIFE_MS, MAX_JOB_SLICE_MS } from '../../api/large/job-limits.ts'
import type { JobKindName, JobProgress } from '../../api/large/job.ts'
import { PROBLEMS } from '../../api/problems.ts'
import { AmpereError, isAmpereError } from '../../errors.ts'
import type { Now } from '../../ports/keys.ts'
import type { Row, WriteTable } from '../../ports/table.ts'
import { encodeJob, isOver, JOBS_RUN, parseJob, type Job } from './row.ts'

/** For how long who takes a job on is taken to be at it, in milliseconds: longer than any platform lets a request run. */
export const LEASE_MS = 60_000
/** Slices in a row that may fail before a job does. */
export const MAX_FAILURES = 8

/** What came of a slice: `result` once there is nothing left to do. */
export interface Slice {
  /** Where the next one goes on. */
  readonly at: string | null
  readonly progress: JobProgress
  readonly result: object | null
}

/**
 * Does jobs of one kind. A slice may be done twice, and be interrupted anywhere: its effects, beside what it gives, must be
 * the same then.
 */
export interface JobKind {
  /** Gets on by one step at least, then until `pause` says so. */
  slice(job: Job, pause: () => boolean): Promise<Slice>
  /** Removes what a job that is over does not need any more; the sweep does it again. */
  end?(job: Job): Promise<void>
}

/** Who takes jobs on. */
export interface Worker {
  readonly jobs: WriteTable
  readonly now: Now
  readonly kinds: Readonly<Record<JobKindName, JobKind>>
  /** Is told why a slice failed. */
  readonly failed: (code: string) => void
}

/**
 * Takes a job on by one slice, unless somebody is at it. The lease is taken, and what came of the slice is kept, by compare
 * and swap: of two who do the same slice, because one was so slow, one is heard. Whoever is killed leaves the job where it
 * was, and when the lease is over it goes on there.
 * @returns the job as it stands then; null when there is none
 * @throws AmpereError STORE_UNAVAILABLE
 */
export async function advanceJob(worker: Worker, key: string): Promise<Job | null> {
  const { jobs, now, kinds } = worker
  const row = await jobs.get(JOBS_RUN, key)
  const job = row && parseJob(row.value)
  if (!row || !job || isOver(job) || isLeased(job, now())) return job
  if (job.expiresMs <= now()) return keep(worker, row, failedBy(job, expired(), now()))
  const leased: Job = { ...job, state: 'running', leasedUntilMs: now() + LEASE_MS }
  const version = await jobs.swap(JOBS_RUN, key, row.version, encodeJob(leased))
  if (version === null) return load(worker, key)
  const untilMs = now() + MAX_JOB_SLICE_MS
  const next = await sliced(worker, job, () => now() >= untilMs)
  const kept = await keep(worker, { key, version }, next)
  if (kept && isOver(kept)) await kinds[kept.kind].end?.(kept).catch(unlessAmpere)
  return kept
}

/** Takes a job on slice by slice until it is over, somebody else is at it, or `pause` says so. */
export async function workOn(worker: Worker, key: string, pause: () => boolean): Promise<Job | null> {
  for (;;) {
    const job = await advanceJob(worker, key)
    if (!job || isOver(job) || isLeased(job, worker.now()) || job.failures > 0 || pause()) return job
  }
}

/** Takes on every job that waits. @returns how many are over now that were not */
export async function workOnAll(worker: Worker, pause: () => boolean): Promise<number> {
  let done = 0
  for (let from = ''; ;) {
    const rows = await worker.jobs.range(JOBS_RUN, { from, limit: 20 })
    for (const { key, value } of rows) {
      if (isOver(parseJob(value))) continue
      const job = await workOn(worker, key, pause)
      if (job && isOver(job)) done++
      if (pause()) return done
    }
    const last = rows.at(-1)
    if (!last) return done
    from = `${last.key}\u0000`
  }
}

/** Somebody is at it, as far as anybody knows. */
export function isLeased({ leasedUntilMs }: Job, nowMs: number): boolean {
  // A lease further ahead than any is taken was taken by a clock that was set back since.
  return leasedUntilMs !== null && leasedUntilMs > nowMs && leasedUntilMs <= nowMs + 2 * LEASE_MS
}

async function sliced({ kinds, now, failed }: Worker, job: Job, pause: () => boolean): Promise<Job> {
  try {
    const { at, progress, result } = await kinds[job.kind].slice(job, pause)
    const next: Job = { ...job, state: 'waiting', at, progress, leasedUntilMs: null, failures: 0 }
    if (!result) return next
    return { ...next, state: 'done', result: { ...result }, expiresMs: now() + JOB_LIFE_MS }
  } catch (cause) {
    const error = isAmpereError(cause) ? cause : new AmpereError('UNEXPECTED', 'the job failed', { cause })
    failed(error.code)
    const failures = job.failures + 1
    // What is wrong with the request stays so; what is wrong here may pass.
    if (PROBLEMS[error.code].status < 500 || failures >= MAX_FAILURES) return failedBy(job, error, now())
    return { ...job, state: 'waiting', leasedUntilMs: null, failures }
  }
}

/** Keeps what came of a slice, unless the lease was taken over meanwhile. */
async function keep(
  worker: Worker,
  { key, version }: Pick<Row, 'key' | 'version'>,
  next: Job,
): Promise<Job | null> {
  const kept = await worker.jobs.swap(JOBS_RUN, key, version, encodeJob(next))
  return kept === null ? load(worker, key) : next
}

async function load({ jobs }: Worker, key: string): Promise<Job | null> {
  const row = await jobs.get(JOBS_RUN, key)
  return row && parseJob(row.value)
}

function failedBy(job: Job, { code, message }: AmpereError, nowMs: number): Job {
  const problem = { code, detail: message }
  return { ...job, state: 'failed', problem, leasedUntilMs: null, expiresMs: nowMs + JOB_LIFE_MS }
}

function expired(): AmpereError {
  return new AmpereError('GONE', 'nobody took the job on until it was to be given up: ask again')
}

function unlessAmpere(error: unknown): void {
  if (!isAmpereError(error)) throw error
}
