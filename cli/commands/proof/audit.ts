// SPDX-License-Identifier: Apache-2.0
import type { AuditReport } from '#core/server/audit/report.ts'
import { shortId, withSession, type ActingOptions, type Session } from '../../deployment/session.ts'
import type { Call } from '../../program/command.ts'
import { auditHomeLog, logFindingLine, type AuditedLog } from '../../proof/audit-log.ts'
import { auditHome } from '../../proof/audit.ts'
import { adviceLines, LOG_MANUAL } from '../../proof/log-advice.ts'
import { problemLine, withoutRepeats } from '../../proof/problem.ts'
import { EXIT, type Screen } from '../../terminal/screen.ts'
import { counted, localTime } from '../../terminal/words.ts'
import { checkContents, contentsLines, problemsOfKnown } from './audit-contents.ts'

interface AuditOptions extends ActingOptions {
  readonly stores?: boolean
  readonly sinceLast?: boolean
  readonly repair?: boolean
}

/**
 * Audits the home's stores and its log, compares them with what the acting institution saw of its records, then checks the
 * contents of those. Only `--repair` writes to the home.
 */
export async function audit(call: Call<AuditOptions>): Promise<number> {
  const purpose = call.options.repair === true ? 'repair' : 'look'
  return withSession(call, (session) => auditAs(session, call), purpose)
}

async function auditAs(session: Session, { options, screen }: Call<AuditOptions>): Promise<number> {
  const log = await auditHomeLog(session, session.open.connection, options, screen)
  const report = await auditHome(session, session.open.connection, screen)
  const { chains, blocks, entries, erased, flags } = report
  const problems = withoutRepeats([...(await problemsOfKnown(session)), ...report.findings])
  const contents = options.stores === true ? null : await checkContents(session)
  const [first] = problems
  const isOk = problems.length + log.report.findings.length === 0 && (contents?.failed ?? 0) === 0
  const { report: logReport, repaired } = log
  screen.print(
    { ok: isOk, chains, blocks, entries, erased, problems, flags, log: logReport, repaired, contents },
    [
      `${counted(chains, 'chain')}, ${counted(blocks, 'block')}, ${counted(entries, 'entry', 'entries')}, ${erased} erased`,
      ...problems.map((problem) => `${shortId(problem.chain)}  ${screen.bad(problemLine(problem))}`),
      ...flags.map(flagLine),
      ...logLines(log, screen),
      ...(first ? [`  Next: npx ampere chain show ${shortId(first.chain)}${blockOf(first)}`] : []),
      ...(isOk ? [inOrder(log)] : []),
      ...(contents ? contentsLines(contents) : []),
    ],
  )
  return isOk ? EXIT.ok : EXIT.verification
}

function blockOf({ height }: { readonly height: number | null }): string {
  return height === null ? '' : ` --block ${height}`
}

/** Says no more than was looked at. */
function inOrder({ report: { from } }: AuditedLog): string {
  return from === 0
    ? 'Everything that the home holds is what was signed.'
    : `Everything that the home holds is what was signed, but for the log before leaf ${from}, which was not audited now: npx ampere audit`
}

function logLines({ report, repaired, mendable }: AuditedLog, screen: Screen): readonly string[] {
  const { size, from, blocks, findings, unlisted, earlier } = report
  const since = from === 0 ? '' : `, new since leaf ${from}`
  const [left] = findings
  return [
    `Log: ${counted(size, 'leaf', 'leaves')}${since}, ${counted(blocks, 'block')} compared with them, those of the registry among them`,
    ...(repaired ?? []).map((done) => `Repaired ${done.where}: ${done.detail} (rule ${done.rule})`),
    ...(repaired?.length === 0 ? ['Nothing was repaired.'] : []),
    ...findings.map((finding) => screen.bad(logFindingLine(finding))),
    ...(unlisted === 0 ? [] : [`and ${counted(unlisted, 'finding')} more`]),
    ...(earlier === 0 ? [] : [earlierLine(earlier)]),
    ...adviceLines(findings, mendable),
    ...(left ? [`  Each rule is explained in ${LOG_MANUAL}.`] : []),
  ]
}

/** No damage: under which policy a checkpoint was kept is not stored. */
function earlierLine(earlier: number): string {
  const kept = `${counted(earlier, 'kept checkpoint')} without the quorum of the present policy`
  return `Note: ${kept}: kept under an earlier policy, or cosignatures were removed since. Receipts are made with others.`
}

/** What is no damage but worth knowing: docs/OPERATIONS.md says what to do about each. */
function flagLine({ chain, height, flag, detail, since }: AuditReport['flags'][number]): string {
  const where = height === null ? shortId(chain) : `${shortId(chain)}  block ${height}`
  return `${where}  ${flag}: ${detail}${since === null ? '' : `, since ${localTime(since)}`}`
}
