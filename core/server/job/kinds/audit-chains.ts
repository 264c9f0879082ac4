// SPDX-License-Identifier: Apache-2.0
import { parseWith } from '../../../bytes/schema.ts'
import { auditJobResult, type AuditJobResult } from '../../../api/large/job.ts'
import { listChains, openAudit } from '../../audit/audit.ts'
import { auditWithin } from '../../audit/audit-within.ts'
import type { AuditorPorts } from '../../audit/needs.ts'
import type { ChainReport } from '../../audit/report.ts'
import type { Home } from '../../home.ts'
import type { JobKind } from '../advance.ts'

/** Characters of JSON that findings, flags and unfinished chains may have together: a row of a table has 400 kB at most. */
export const MAX_LISTED_CHARACTERS = 96 * 1024

/** Audits every chain of the home, one after the other; `at` is the report so far, with the chain to go on from. */
export function chainAuditJobs(ports: AuditorPorts, home: Home): JobKind {
  return {
    slice: async ({ at }, pause) => {
      const audit = await openAudit(ports, home)
      const total = at === null ? nothingYet() : parse(at)
      if (at === null) total.findings.push(...audit.findings)
      let isFirst = true
      for await (const chain of listChains(ports, total.next)) {
        const report = isFirst || !pause() ? await auditWithin(audit, chain, pause) : null
        if (!report && !isFirst) return going({ ...total, next: chain })
        if (report) add(total, report)
        // It alone takes longer than a slice.
        else total.unfinished.push(chain)
        isFirst = false
      }
      const { progress } = going(total)
      return {
        at: null,
        progress: { ...progress, total: progress.done },
        result: withinLimit({ ...total, next: null }),
      }
    },
  }
}

function nothingYet(): AuditJobResult {
  const none = { findings: [], flags: [], unfinished: [] }
  return { chains: 0, blocks: 0, entries: 0, erased: 0, ...none, next: null, unlisted: 0 }
}

function parse(at: string): AuditJobResult {
  return parseWith(auditJobResult, JSON.parse(at), 'STORE_CORRUPT', 'job')
}

function going(total: AuditJobResult) {
  const done = total.chains + total.unfinished.length
  return {
    at: JSON.stringify(withinLimit(total)),
    progress: { done, total: null, of: 'chains' },
    result: null,
  }
}

function add(total: AuditJobResult, { blocks, entries, erased, findings, flags }: ChainReport): void {
  total.chains++
  total.blocks += blocks
  total.entries += entries
  total.erased += erased
  // A chain that is not listed is found by itself and by its record: once is enough.
  const isTwin = (one: (typeof findings)[number]) =>
    one.rule === 'chain-row' &&
    total.findings.some(({ rule, chain }) => rule === 'chain-row' && chain === one.chain)
  total.findings.push(...findings.filter((one) => !isTwin(one)))
  total.flags.push(...flags)
}

/** What is beyond the limit is counted: first flags go, then the last findings. */
function withinLimit(total: AuditJobResult): AuditJobResult {
  let left = MAX_LISTED_CHARACTERS
  let { unlisted } = total
  const fitting = <T>(items: readonly T[]): T[] =>
    items.filter((item) => {
      left -= JSON.stringify(item).length
      if (left < 0) unlisted++
      return left >= 0
    })
  const findings = fitting(total.findings)
  const unfinished = fitting(total.unfinished)
  const flags = fitting(total.flags)
  return { ...total, findings, unfinished, flags, unlisted }
}
