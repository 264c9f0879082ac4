// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '../../../bytes/encoding.ts'
import { parseBlock } from '../../../block/open-block.ts'
import { decodeAppend, encodeAppend, type Append } from '../../../api/append.ts'
import { digestOf } from '../../../crypto/hash.ts'
import { AmpereError } from '../../../errors.ts'
import { appendBlock, judgeAhead } from '../../append/append.ts'
import type { AppendPorts } from '../../append/needs.ts'
import type { Quotas } from '../../append/quota.ts'
import type { Home } from '../../home.ts'
import { findUpload } from '../../upload/use.ts'
import type { JobKind } from '../advance.ts'
import { createJob } from '../create.ts'
import { isOver, jobInputName, type Job } from '../row.ts'

/**
 * For how long after the home took a block on its time is judged as it was then, in milliseconds. A registry may move on
 * meanwhile, and a revocation that came counts.
 */
export const ADMITTED_MS = 10 * 60_000
/** How long whoever begins a job may take until its input is there, in milliseconds. */
const BEGIN_MS = 60_000

/**
 * Takes an append with an upload on, after it was judged as any other: a stranger makes no jobs. The same append again finds
 * the same job.
 * @returns null for what is to be appended at once: it was appended or has failed, it brings more than entries, or its author has as
 *   many jobs as it may
 * @throws AmpereError those of `judgeAhead` and `findUpload`
 */
export async function beginAppendJob(ports: AppendPorts, home: Home, append: Append): Promise<Job | null> {
  const { upload, object, packages, labelKey } = append
  if (upload === undefined || object !== null || packages.length > 0 || labelKey !== null) return null
  const parsed = parseBlock(append.block)
  const owner = await judgeAhead(ports, home, parsed)
  if (owner === null) return null
  await findUpload(ports, owner, parsed, upload)
  const id = digestOf(utf8(`ampere-append-job/v1\n${parsed.id}\n${upload}\n`))
  const chain = parsed.chain
  const job = await createJob(ports, { id, kind: 'append', owner, chain, at: null, of: 'blocks' })
  if (!job || isOver(job)) return null
  await ports.objects.uploads.store(jobInputName(job), encodeAppend(append))
  return job
}

/** Appends one block: its one slice is an append, which may be interrupted anywhere and repeated. */
export function appendJobs(ports: AppendPorts, home: Home, quotas: Quotas): JobKind {
  return {
    slice: async (job) => {
      const input = await ports.objects.uploads.fetch(jobInputName(job))
      if (!input) throw notBegun(ports.now() - job.createdMs)
      const nowMs = ports.now()
      const admittedMs = nowMs - job.createdMs <= ADMITTED_MS ? job.createdMs : nowMs
      const { answer } = await appendBlock(ports, home, quotas, decodeAppend(input), admittedMs)
      return { at: null, progress: { done: 1, total: 1, of: 'blocks' }, result: answer }
    },
    end: (job) => ports.objects.uploads.shred(jobInputName(job)),
  }
}

/** The row of a job is there before its input, so that no input is without a row that names it. */
function notBegun(ageMs: number): AmpereError {
  return ageMs < BEGIN_MS
    ? new AmpereError('STORE_UNAVAILABLE', 'the job is just being begun')
    : new AmpereError('PRECONDITION_FAILED', 'the job was never begun whole: send the block again')
}
