// SPDX-License-Identifier: Apache-2.0
import { JOB_LIFE_MS, MAX_JOBS } from '../../api/large/job-limits.ts'
import type { JobKindName } from '../../api/large/job.ts'
import type { ChainId, Digest } from '../../bytes/ids.ts'
import type { Now } from '../../ports/keys.ts'
import type { AppendTable } from '../../ports/table.ts'
import { rangeUnder } from '../store/rows.ts'
import { encodeJob, isOver, jobKey, JOBS_RUN, parseJob, type Job } from './row.ts'

/** What asking for a job uses. */
export interface CreatePorts {
  readonly tables: { readonly jobs: AppendTable }
  readonly now: Now
}

/** What is asked for. */
export interface NewJob {
  readonly id: Digest
  readonly kind: JobKindName
  readonly owner: string
  readonly chain: ChainId | null
  /** Where its kind begins. */
  readonly at: string | null
  readonly of: string
}

/**
 * Makes a job, or finds the one with this id; one of `isSame` that is not over stands for it as well.
 * @returns null where its owner has as many as it may: then it is to be done at once
 */
export async function createJob(
  { tables: { jobs }, now }: CreatePorts,
  { of, ...asked }: NewJob,
  isSame: (job: Job) => boolean = () => false,
): Promise<Job | null> {
  const rows = await jobs.range(JOBS_RUN, { ...rangeUnder(asked.owner), limit: MAX_JOBS })
  const kept = rows.map(({ value }) => parseJob(value))
  const there = kept.find(
    (job) => job.id === asked.id || (isSame(job) && !isOver(job) && job.expiresMs > now()),
  )
  if (there) return there
  if (kept.length >= MAX_JOBS) return null
  const createdMs = now()
  const job: Job = {
    v: 1,
    ...asked,
    createdMs,
    expiresMs: createdMs + JOB_LIFE_MS,
    state: 'waiting',
    progress: { done: 0, total: null, of },
    result: null,
    problem: null,
    leasedUntilMs: null,
    failures: 0,
  }
  if ((await jobs.insert(JOBS_RUN, jobKey(job), encodeJob(job))) === 'inserted') return job
  const row = await jobs.get(JOBS_RUN, jobKey(job))
  return row && parseJob(row.value)
}
