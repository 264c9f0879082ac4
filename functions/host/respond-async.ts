// SPDX-License-Identifier: Apache-2.0
import type { Context } from 'hono'
import { isLeased } from '#core/server/job/advance.ts'
import { jobAnswerOf, type Job } from '#core/server/job/row.ts'

/** True when a request asks, by RFC 7240, to be answered before it is done. */
export function prefersAsync(c: Context): boolean {
  const preferences = (c.req.header('prefer') ?? '').split(/[,;]/)
  return preferences.some((one) => one.trim().toLowerCase() === 'respond-async')
}

/** That a job was begun, and where to ask for it. */
export function sendBegun(c: Context, job: Job, nowMs: number): Response {
  const chain = job.chain === null ? '' : `?chain=${job.chain}`
  return sendJob(c, job, 202, nowMs, {
    location: `/v1/jobs/${job.id}${chain}`,
    'preference-applied': 'respond-async',
  })
}

/** How far a job came; with 202, when to ask again. */
export function sendJob(
  c: Context,
  job: Job,
  status: 200 | 202,
  nowMs: number,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const leftMs = isLeased(job, nowMs) ? (job.leasedUntilMs ?? nowMs) - nowMs : 0
  const seconds = Math.max(1, Math.ceil(leftMs / 1000))
  const waiting = status === 202 ? { 'retry-after': String(seconds) } : {}
  return c.json(jobAnswerOf(job), status, { ...waiting, ...headers })
}
