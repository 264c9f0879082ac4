// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { fromUtf8, utf8 } from '../../bytes/encoding.ts'
import { chainId, count, digest, parseWith } from '../../bytes/schema.ts'
import { toTimestamp } from '../../bytes/timestamp.ts'
import { JOB_KINDS, jobProgress, type JobAnswer } from '../../api/large/job.ts'
import { PROBLEMS } from '../../api/problems.ts'
import { AmpereError, type ErrorCode } from '../../errors.ts'

/** Partition of the table `jobs` with what was asked for and is done in slices; keys are `OWNER/ID`. */
export const JOBS_RUN = 'run'

const jobRow = v.strictObject({
  v: v.literal(1),
  id: digest,
  kind: v.picklist(JOB_KINDS),
  /** An institution's id or a device's key id. */
  owner: v.string(),
  /** The chain that it is about, where it is about one. */
  chain: v.nullable(chainId),
  createdMs: count,
  expiresMs: count,
  state: v.picklist(['waiting', 'running', 'done', 'failed']),
  /** Where its kind goes on: text of its own; null at the beginning. */
  at: v.nullable(v.string()),
  progress: jobProgress,
  result: v.nullable(v.record(v.string(), v.unknown())),
  problem: v.nullable(v.strictObject({ code: v.string(), detail: v.string() })),
  /** Until when whoever took it on is taken to be at it. */
  leasedUntilMs: v.nullable(count),
  /** Slices in a row that failed. */
  failures: count,
})
/** A job as it is stored. */
export type Job = v.InferOutput<typeof jobRow>

/** Row key of a job. */
export function jobKey({ owner, id }: Pick<Job, 'owner' | 'id'>): string {
  return `${owner}/${id}`
}

/** Where the input of a job lies among the uploads, which are named by one segment. */
export function jobInputName(job: Pick<Job, 'owner' | 'id'>): string {
  return `jobs/${jobKey(job)}`
}

export function encodeJob(job: Job): Uint8Array<ArrayBuffer> {
  return utf8(JSON.stringify(job))
}

/** @throws AmpereError STORE_CORRUPT */
export function parseJob(value: Uint8Array): Job {
  try {
    return parseWith(jobRow, JSON.parse(fromUtf8(value)), 'STORE_CORRUPT', 'job')
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', 'a job was changed', { cause })
  }
}

/** Nothing is left to do. */
export function isOver({ state }: Job): boolean {
  return state === 'done' || state === 'failed'
}

/** A job as its owner sees it. */
export function jobAnswerOf({
  id,
  kind,
  state,
  progress,
  createdMs,
  expiresMs,
  result,
  problem,
}: Job): JobAnswer {
  const code = problem && ((Object.hasOwn(PROBLEMS, problem.code) ? problem.code : 'UNEXPECTED') as ErrorCode)
  return {
    id,
    kind,
    state,
    progress,
    created: toTimestamp(createdMs),
    expires: toTimestamp(expiresMs),
    result: result as JobAnswer['result'],
    problem: problem && code && { code, ...PROBLEMS[code], detail: problem.detail },
  }
}
