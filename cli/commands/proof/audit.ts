// SPDX-License-Identifier: Apache-2.0
import { shortId, withSession, type ActingOptions } from '../../deployment/session.ts'
import type { AuditReport } from '#core/server/audit/report.ts'
import type { Call } from '../../program/command.ts'
import { auditHome } from '../../proof/audit.ts'
import { problemLine } from '../../proof/problem.ts'
import { EXIT } from '../../terminal/screen.ts'
import { counted, localTime } from '../../terminal/words.ts'

/** Audits the home's stores: every chain that it holds, with its blocks, states, key rows and objects. */
export async function audit(call: Call<ActingOptions>): Promise<number> {
  return withSession(call, async (session) => {
    const report = await auditHome(session, session.open.connection, call.screen)
    const { chains, blocks, entries, erased, findings, flags } = report
    const [first] = findings
    call.screen.print(
      { ok: findings.length === 0, chains, blocks, entries, erased, problems: findings, flags },
      [
        `${counted(chains, 'chain')}, ${counted(blocks, 'block')}, ${counted(entries, 'entry', 'entries')}, ${erased} erased`,
        ...findings.map((finding) => `${shortId(finding.chain)}  ${call.screen.bad(problemLine(finding))}`),
        ...flags.map(flagLine),
        ...(first
          ? [`  Next: npx ampere chain show ${shortId(first.chain)} --block ${first.height}`]
          : ['Everything that the home holds is what was signed.']),
      ],
    )
    return first ? EXIT.verification : EXIT.ok
  })
}

/** What is no damage but worth knowing: docs/OPERATIONS.md says what to do about each. */
function flagLine({ chain, height, flag, detail, since }: AuditReport['flags'][number]): string {
  const where = height === null ? shortId(chain) : `${shortId(chain)}  block ${height}`
  return `${where}  ${flag}: ${detail}${since === null ? '' : `, since ${localTime(since)}`}`
}
