// SPDX-License-Identifier: Apache-2.0
import { select, type Platform } from '#core/ports/needs.ts'
import { auditChains, listChains } from '#core/server/audit/audit.ts'
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'
import type { AuditFinding } from '#core/server/audit/report.ts'
import { BACKUP_NEEDS } from '#core/server/backup/needs.ts'
import { areEqual, compareHomes } from '#core/server/compare/compare-homes.ts'
import type { Comparison } from '#core/server/compare/report.ts'
import { storedSource, type HomeSource } from '#core/server/copy/source.ts'
import type { Home } from '#core/server/home.ts'
import type { Screen } from '../terminal/screen.ts'
import { count, counted, size } from '../terminal/words.ts'

/** What was found of what was restored. */
export interface LookedAt {
  readonly isOk: boolean
  readonly compared: Comparison
  readonly findings: readonly AuditFinding[]
}

/**
 * Audits what was restored from end to end, which finds whatever is there of what was erased, and compares it with the
 * backup byte by byte.
 */
export async function lookAtRestored(
  screen: Screen,
  platform: Platform,
  home: Home,
  backup: HomeSource,
): Promise<LookedAt> {
  const auditing = screen.progress({ doing: 'Auditing', unit: 'blocks' })
  const ports = await select(platform, AUDITOR_NEEDS)
  const { findings } = await auditChains(ports, home, listChains(ports), (blocks) =>
    auditing.update(blocks),
  ).finally(() => auditing.stop())
  const comparing = screen.progress({ doing: 'Comparing', unit: 'blocks' })
  const back = storedSource(await select(platform, BACKUP_NEEDS))
  const compared = await compareHomes(backup, back, {
    isLater: true,
    progress: (blocks) => comparing.update(blocks),
  }).finally(() => comparing.stop())
  return { isOk: findings.length === 0 && areEqual(compared), compared, findings }
}

/** What was found, for people. */
export function lookedLines({ isOk, compared, findings }: LookedAt): readonly string[] {
  const { chains, blocks, parts, logFiles, bytes, erased, differences, unlisted } = compared
  const what = `${counted(chains, 'chain')}, ${counted(blocks, 'block')}, ${counted(parts, 'stored part')}, ${counted(logFiles, 'file')} of the log (${size(bytes)})`
  return [
    `Compared byte by byte with the backup: ${what}.`,
    ...(erased === 0
      ? []
      : [
          `Of what the backup has ${count(erased)} keys, objects and packages are destroyed, as erasures ordered.`,
        ]),
    ...findings.map(({ chain, height, rule }) => `Found: chain ${chain}, block ${height} (${rule})`),
    ...differences.map(({ part, where, how }) => `Differs: ${part} ${where} (${how})`),
    ...(unlisted === 0 ? [] : [`and ${counted(unlisted, 'other difference')}`]),
    ...(isOk ? ['All else is the same, and verifies; nothing that was erased is there.'] : []),
  ]
}
