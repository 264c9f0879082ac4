// SPDX-License-Identifier: Apache-2.0
import { isAmpereError } from '../../../errors.ts'
import { noteAudited } from '../../audit/log/audit-log.ts'
import type { LogTrust } from '../../audit/log/needs.ts'
import { auditSlice, type SlicedAudit } from '../../audit/log/run/sliced-audit.ts'
import type { AuditorPorts } from '../../audit/needs.ts'
import type { Home } from '../../home.ts'
import type { JobKind } from '../advance.ts'

/** Where an audit of the log begins: with all of it, or with what is new since the last that found nothing. */
export type LogAuditStart = 'all' | 'news'

/** Audits the log, each slice with the cursor of the one before; `at` is what it began with, a space, and the cursor. */
export function logAuditJobs(ports: AuditorPorts, home: Home, trust: LogTrust): JobKind {
  return {
    slice: async ({ at }, pause) => {
      const [start = 'all', cursor = ''] = (at ?? 'all').split(' ')
      const made = await sliceFrom(ports, home, trust, { start, cursor, pause })
      const { audit, next, leaves } = made
      const { report } = audit
      const progress = { done: leaves, total: report.size, of: 'leaves' }
      if (next !== null) return { at: `${start} ${next}`, progress, result: null }
      await noteAudited(ports, audit)
      return { at: null, progress, result: { ...report, leaves, next } }
    },
  }
}

async function sliceFrom(
  ports: AuditorPorts,
  home: Home,
  trust: LogTrust,
  { start, cursor, pause }: { start: string; cursor: string; pause: () => boolean },
): Promise<SlicedAudit> {
  const slice = { sinceLast: start === 'news', pause }
  if (cursor === '') return auditSlice(ports, home, trust, { ...slice, cursor: null })
  try {
    return await auditSlice(ports, home, trust, { ...slice, cursor })
  } catch (error) {
    // Another worker made the same slice, or what was kept is not what it was: it begins anew.
    if (!isAmpereError(error, 'NOT_FOUND', 'REQUEST_MALFORMED', 'STORE_CORRUPT')) throw error
    return auditSlice(ports, home, trust, { ...slice, cursor: null })
  }
}
