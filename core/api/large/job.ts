// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { count, digest, timestamp } from '../../bytes/schema.ts'
import { appendAnswer, auditAnswer, logAuditAnswer } from '../answers.ts'

/** What a job does. */
export const JOB_KINDS = ['append', 'audit-chains', 'audit-log'] as const
export type JobKindName = (typeof JOB_KINDS)[number]

/** How far it came: `done` of `total` (null: not known) of what `of` says. */
export const jobProgress = v.object({ done: count, total: v.nullable(count), of: v.string() })
export type JobProgress = v.InferOutput<typeof jobProgress>

/** What an audit of all chains found, as a job keeps it. */
export const auditJobResult = v.object({
  ...auditAnswer.entries,
  unlisted: v.pipe(
    count,
    v.description('Findings, flags and unfinished chains beyond those that are listed.'),
  ),
})
export type AuditJobResult = v.InferOutput<typeof auditJobResult>

/** Why a job failed, as a problem document would say it. */
export const jobProblem = v.object({
  code: v.string(),
  status: v.number(),
  title: v.string(),
  detail: v.string(),
  retryable: v.boolean(),
})

/** A job as its owner sees it. */
export const jobAnswer = v.object({
  id: digest,
  kind: v.picklist(JOB_KINDS),
  state: v.pipe(
    v.picklist(['waiting', 'running', 'done', 'failed']),
    v.description('`done` has a result, `failed` a problem; the others go on.'),
  ),
  progress: jobProgress,
  created: timestamp,
  expires: v.pipe(timestamp, v.description('When it is given up, or what came of it forgotten.')),
  result: v.pipe(
    v.nullable(v.union([auditJobResult, logAuditAnswer, appendAnswer])),
    v.description('What the request would have been answered.'),
  ),
  problem: v.nullable(jobProblem),
})
export type JobAnswer = v.InferOutput<typeof jobAnswer>
