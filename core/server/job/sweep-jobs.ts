// SPDX-License-Identifier: Apache-2.0
import { JOB_LIFE_MS } from '../../api/large/job-limits.ts'
import type { Now } from '../../ports/keys.ts'
import type { ShredObjects } from '../../ports/objects.ts'
import type { WriteTable } from '../../ports/table.ts'
import { isOver, jobInputName, jobKey, JOBS_RUN, parseJob } from './row.ts'

/** What forgetting jobs uses. */
export interface SweepPorts {
  readonly tables: { readonly jobs: WriteTable }
  readonly objects: { readonly uploads: ShredObjects }
  readonly now: Now
}

/** Removes jobs that are over for long, and what they went on with. @returns how many were removed */
export async function sweepJobs(ports: SweepPorts): Promise<number> {
  const { jobs } = ports.tables
  let removed = 0
  for (let from = ''; ;) {
    const rows = await jobs.range(JOBS_RUN, { from, limit: 20 })
    for (const row of rows) {
      const job = parseJob(row.value)
      // One that nobody took on in time is kept as long again, so that its owner learns of it.
      if (job.expiresMs + (isOver(job) ? 0 : JOB_LIFE_MS) > ports.now()) continue
      await ports.objects.uploads.shred(jobInputName(job))
      if ((await jobs.swap(JOBS_RUN, jobKey(job), row.version, null)) !== null) removed++
    }
    const last = rows.at(-1)
    if (!last) return removed
    from = `${last.key}\u0000`
  }
}
