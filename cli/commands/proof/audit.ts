// SPDX-License-Identifier: Apache-2.0
import { shortId, withSession, type ActingOptions, type Session } from '../../deployment/session.ts'
import { checkAll } from '#functions/checker/check-all.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import type { AuditReport } from '#core/server/audit/report.ts'
import type { Call } from '../../program/command.ts'
import { adviceLines, LOG_MANUAL } from '../../proof/log-advice.ts'
import { auditHomeLog, logFindingLine, type AuditedLog } from '../../proof/audit-log.ts'
import { auditHome } from '../../proof/audit.ts'
import { problemLine } from '../../proof/problem.ts'
import { EXIT } from '../../terminal/screen.ts'
import { counted, localTime } from '../../terminal/words.ts'

interface AuditOptions extends ActingOptions {
  readonly stores?: boolean
  readonly sinceLast?: boolean
  readonly repair?: boolean
}

/** Audits the home's stores and its log, then checks the contents of the records that the acting institution knows. */
export async function audit(call: Call<AuditOptions>): Promise<number> {
  return withSession(call, async (session) => {
    const log = await auditHomeLog(session, session.open.connection, call.options, call.screen)
    const report = await auditHome(session, session.open.connection, call.screen)
    const { chains, blocks, entries, erased, findings, flags } = report
    const contents = call.options.stores === true ? null : await checkContents(session)
    const [first] = findings
    const isOk = findings.length + log.report.findings.length === 0
    const { report: logReport, repaired } = log
    const problems = findings
    call.screen.print(
      { ok: isOk, chains, blocks, entries, erased, problems, flags, log: logReport, repaired, contents },
      [
        `${counted(chains, 'chain')}, ${counted(blocks, 'block')}, ${counted(entries, 'entry', 'entries')}, ${erased} erased`,
        ...findings.map((finding) => `${shortId(finding.chain)}  ${call.screen.bad(problemLine(finding))}`),
        ...flags.map(flagLine),
        ...logLines(log, call),
        ...(first
          ? [`  Next: npx ampere chain show ${shortId(first.chain)} --block ${first.height}`]
          : isOk
            ? ['Everything that the home holds is what was signed.']
            : []),
        ...(contents ? [contentsLine(contents)] : []),
      ],
    )
    return isOk ? EXIT.ok : EXIT.verification
  })
}

function logLines({ report, repaired }: AuditedLog, { screen }: Call<AuditOptions>): readonly string[] {
  const { size, from, blocks, findings, unlisted, earlier } = report
  const since = from === 0 ? '' : `, new since leaf ${from}`
  const [left] = findings
  return [
    `Log: ${counted(size, 'leaf', 'leaves')}${since}, ${counted(blocks, 'block')} compared with them`,
    ...(repaired ?? []).map((done) => `Repaired ${done.where}: ${done.detail} (rule ${done.rule})`),
    ...findings.map((finding) => screen.bad(logFindingLine(finding))),
    ...(unlisted === 0 ? [] : [`and ${counted(unlisted, 'finding')} more`]),
    ...(earlier === 0 ? [] : [earlierLine(earlier)]),
    ...adviceLines(findings),
    ...(left ? [`  Each rule is explained in ${LOG_MANUAL}.`] : []),
  ]
}

/** No damage: under which policy a checkpoint was kept is not stored. */
function earlierLine(earlier: number): string {
  const kept = `${counted(earlier, 'kept checkpoint')} without the quorum of the present policy`
  return `Note: ${kept}: kept under an earlier policy, or cosignatures were removed since. Receipts are made with others.`
}

/** What the consistency rules say of the records that an institution knows. */
interface Contents {
  readonly institution: string
  readonly records: number
  /** Findings that stand, and how many of them were filed just now. */
  readonly findings: number
  readonly fresh: number
  /** Records that do not open, for example because they were damaged. */
  readonly failed: number
}

/** As the role `checker` does it: what is new is filed, what was settled is withdrawn, readings are entered. */
async function checkContents({ open }: Session): Promise<Contents> {
  const { patients, newFindings, failed } = await checkAll(open.bridge, silentLog)
  let findings = 0
  for (const { id } of await open.records()) {
    // One that does not open is counted as failed already.
    const record = await open.bridge.record(id).catch(() => null)
    findings += record?.projection.findings.length ?? 0
  }
  return { institution: open.institution.id, records: patients, findings, fresh: newFindings, failed }
}

function contentsLine({ institution, records, findings, fresh, failed }: Contents): string {
  const unopened = failed === 0 ? '' : `; ${counted(failed, 'record')} could not be opened`
  const next = findings === 0 ? '' : ': npx ampere findings'
  return `Contents as ${institution} reads them: ${counted(records, 'record')}, ${counted(findings, 'finding')}, ${fresh} new${unopened}${next}`
}

/** What is no damage but worth knowing: docs/OPERATIONS.md says what to do about each. */
function flagLine({ chain, height, flag, detail, since }: AuditReport['flags'][number]): string {
  const where = height === null ? shortId(chain) : `${shortId(chain)}  block ${height}`
  return `${where}  ${flag}: ${detail}${since === null ? '' : `, since ${localTime(since)}`}`
}
