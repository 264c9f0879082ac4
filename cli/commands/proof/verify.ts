// SPDX-License-Identifier: Apache-2.0
import { isAmpereError } from '#core/errors.ts'
import type { AuditReport } from '#core/server/audit/report.ts'
import { withSession, type ActingOptions, type Session } from '../../deployment/session.ts'
import type { Call } from '../../program/command.ts'
import { usage } from '../../program/refuse.ts'
import { auditHome } from '../../proof/audit.ts'
import { verifyChain, type Verified } from '../../proof/verify-chain.ts'
import { verifyHomeLog } from '../../proof/verify-log.ts'
import { type Screen } from '../../terminal/screen.ts'
import { verifyFile, type VerifyFileOptions } from './verify-file.ts'
import { reportAll } from './verify-report.ts'

interface VerifyOptions extends ActingOptions, VerifyFileOptions {
  readonly all?: boolean
}

/** Verifies an exported file without any server, or with --all every record and everything that the home holds. */
export async function verify(call: Call<VerifyOptions>): Promise<number> {
  const [file] = call.args
  if (file !== undefined && call.options.all === true) throw usage('give a file or --all, not both')
  if (file !== undefined) return verifyFile(call, file)
  if (call.options.all !== true) throw usage('name an exported file, or give --all')
  return withSession(call, (session) => verifyAll(session, call.screen), 'look')
}

async function verifyAll(session: Session, screen: Screen): Promise<number> {
  const verified = await verifyRecords(session, screen)
  const audited = await auditIfAllowed(session, screen)
  const knowsBlocks = verified.length > 0
  const served = await verifyHomeLog(session.open.connection, screen, { knowsBlocks })
  return reportAll(screen, session, { verified, audited, served })
}

/** Null where the running server audits itself for its operators alone: the rest needs no right of theirs. */
async function auditIfAllowed(session: Session, screen: Screen): Promise<AuditReport | null> {
  try {
    return await auditHome(session, session.open.connection, screen)
  } catch (error) {
    if (!session.home && isAmpereError(error, 'FORBIDDEN')) return null
    throw error
  }
}

async function verifyRecords({ open }: Session, screen: Screen): Promise<readonly Verified[]> {
  const records = await open.records()
  const progress = screen.progress({ doing: 'Verifying', unit: 'records', total: records.length })
  const verified: Verified[] = []
  try {
    for (const { chain } of records) {
      verified.push(await verifyChain(open.connection, chain))
      progress.update(verified.length)
    }
  } finally {
    progress.stop()
  }
  return verified
}
