// SPDX-License-Identifier: Apache-2.0
import type { CopiesAnswer } from '#core/api/mirrored.ts'
import type { Platform } from '#core/ports/needs.ts'
import { readCopyOf } from '#core/server/mirror/copy-of.ts'
import { readFailedRuns, readLastRun, type FailedRuns, type LastRun } from '#core/server/mirror/last-run.ts'
import { readMirrored, type MirroredEntry } from '../open/mirror.ts'
import { counted, localTime } from '../terminal/words.ts'

/** How long runs of a home may fail before that counts: a restart of it is no matter. */
export const MAX_UNREACHED_MS = 300_000

/** What came of runs, as a home in a cloud says it, too. */
type Run = Omit<LastRun, 'v'>
type Failed = Omit<FailedRuns, 'v'>

/** How a home is mirrored here. */
export interface Standing extends Pick<MirroredEntry, 'deployment' | 'origin' | 'institution'> {
  readonly last: Run | null
  readonly failed: Failed | null
  /**
   * `wrong`: it was never copied whole, has lost something, or contradicts its copy; `unreached`: it was not copied for longer
   * than `MAX_UNREACHED_MS`; `unseen`: a home in a cloud was not deployed since, or was before it was to mirror that home.
   */
  readonly verdict: 'ok' | 'unreached' | 'wrong' | 'unseen'
}

/**
 * The homes that a home in a cloud mirrors once it was deployed so, with what it says of their last runs.
 * @throws AmpereError STORE_CORRUPT
 */
export function toldStandings(folder: string, { items }: CopiesAnswer, nowMs: number): readonly Standing[] {
  return readMirrored(folder).map(({ deployment, origin, institution }) => {
    const said = items.find((each) => each.deployment === deployment && each.origin === origin)
    const of = { deployment, origin, institution }
    if (!said) return { ...of, last: null, failed: null, verdict: 'unseen' }
    const { last, failed } = said
    return { ...of, last, failed, verdict: verdictOf(last, failed, nowMs) }
  })
}

/** Every home that is mirrored here, with what came of its last runs; a running server does not matter. @throws AmpereError STORE_CORRUPT */
export async function mirrorStandings(
  folder: string,
  platform: Platform,
  nowMs: number,
): Promise<readonly Standing[]> {
  const stores = {
    tables: { mirror: platform.table('mirror'), 'mirror-keys': platform.table('mirror-keys') },
    objects: { mirror: platform.objects('mirror') },
  }
  return Promise.all(
    readMirrored(folder).map(async ({ deployment, origin, institution }) => {
      const copy = readCopyOf(stores, deployment)
      const [last, failed] = [await readLastRun(copy), await readFailedRuns(copy)]
      return { deployment, origin, institution, last, failed, verdict: verdictOf(last, failed, nowMs) }
    }),
  )
}

/** Codes of runs that failed by what the home showed, as exit code 3 has them. */
const DISPROVED: readonly string[] = ['VERIFICATION_FAILED', 'SIGNATURE_INVALID']

function verdictOf(last: Run | null, failed: Failed | null, nowMs: number): Standing['verdict'] {
  if (failed !== null && DISPROVED.includes(failed.code)) return 'wrong'
  if (last === null || last.problems > 0) return 'wrong'
  return failed !== null && nowMs - Date.parse(failed.since) >= MAX_UNREACHED_MS ? 'unreached' : 'ok'
}

/** `FAILED: VERIFICATION_FAILED, rule log-forked, at 23-Nov-2026 14:05`, or null where the last run did not fail. */
export function failedPhrase({ failed }: Standing): string | null {
  if (failed === null) return null
  const { code, rule, since, time } = failed
  const why = rule === null ? code : `${code}, rule ${rule}`
  return `${why}, at ${localTime(time)}; every run since ${localTime(since)} failed`
}

/** What was copied of it, and when. */
export function copiedPhrase({ last, verdict }: Standing): string {
  if (verdict === 'unseen') return 'not yet by the home that is deployed: it begins with the next deployment'
  if (last === null) return 'not copied whole yet'
  const { chains, logSize, problems, time } = last
  const parts = [
    counted(chains, 'chain'),
    counted(logSize, 'log entry', 'log entries'),
    counted(problems, 'problem'),
  ]
  return `${parts.join(', ')}, as of ${localTime(time)}`
}
