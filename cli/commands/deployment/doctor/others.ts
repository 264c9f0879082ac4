// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { isAmpereError } from '#core/errors.ts'
import type { Platform } from '#core/ports/needs.ts'
import { listFindings } from '#core/server/monitor/against/findings.ts'
import { loadMonitored } from '#core/server/monitor/monitored-row.ts'
import { failedPhrase, mirrorStandings } from '../../../mirror/standing.ts'
import { readWatched } from '../../../monitor/watched.ts'
import { counted, plain } from '../../../terminal/words.ts'
import { ok, wrong, type Check } from './check.ts'
import { mayWrite } from './machine.ts'

/** What this home found as a mirror and monitor of others; nothing where it is neither. Opens no key. */
export async function checkOthers(folder: string): Promise<readonly Check[]> {
  const home = join(folder, 'home')
  // Another check says so.
  if (!existsSync(join(home, 'ampere.db')) || !mayWrite(home)) return []
  try {
    const platform = openLocal({ folder: home, passphrase: null, beside: true, readOnly: true })
    try {
      return [...(await checkMirrored(folder, platform)), ...(await checkMonitored(folder, platform))]
    } finally {
      await platform.close()
    }
  } catch (error) {
    if (!isAmpereError(error)) throw error
    return [wrong('Others', error.message, 'npx ampere mirror status, npx ampere monitor list')]
  }
}

async function checkMirrored(folder: string, platform: Platform): Promise<readonly Check[]> {
  const all = await mirrorStandings(folder, platform, Date.now())
  if (all.length === 0) return []
  const bad = all.filter(({ verdict }) => verdict !== 'ok')
  if (bad.length === 0) return [ok('Mirrors', `${counted(all.length, 'home')} mirrored here`)]
  return bad.map((each) => {
    const { last } = each
    const lost = last === null ? 'not copied whole yet' : `${counted(last.problems, 'problem')} in it`
    return wrong(
      'Mirrors',
      `${plain(each.origin)}: ${failedPhrase(each) ?? lost}`,
      'npx ampere mirror status',
    )
  })
}

async function checkMonitored(folder: string, platform: Platform): Promise<readonly Check[]> {
  const watched = readWatched(folder)
  if (watched.length === 0) return []
  const found = await Promise.all(
    watched.map(async ({ origin }) => {
      const table = platform.table('monitored')
      const { stopped, begun } = (await loadMonitored(table, origin)).log
      const findings = await listFindings(table, origin)
      const since = findings.filter(({ time }) => begun === null || time >= begun).map(({ kind }) => kind)
      return { origin, kinds: [...new Set(stopped === null ? since : [...since, stopped])] }
    }),
  )
  const bad = found.filter(({ kinds }) => kinds.length > 0)
  if (bad.length === 0) return [ok('Monitors', `${counted(found.length, 'log')} monitored here`)]
  return bad.map(({ origin, kinds }) =>
    wrong('Monitors', `${plain(origin)}: ${kinds.join(', ')}`, 'npx ampere monitor status'),
  )
}
