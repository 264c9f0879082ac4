// SPDX-License-Identifier: Apache-2.0
import { openMemory } from '#adapters/memory/open.ts'
import { withKeptKeys } from '#tests/kept-keys.ts'
import { logIdOf } from '#core/api/log.ts'
import { openLookup, type LookupStatement } from '#core/api/lookup.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { checkpointIn } from '#core/log/note/checkpoint.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { listFindings, type KeptFinding } from '#core/server/monitor/findings.ts'
import { lookUp } from '#core/server/monitor/lookup.ts'
import { LOOKUP_NEEDS, MONITOR_NEEDS, type Monitor, type WatchedLog } from '#core/server/monitor/needs.ts'
import { watchLog, type WatchReport } from '#core/server/monitor/watch.ts'
import { seededRandom, START_MS } from '#tests/deployment.ts'
import { askedAt, LOG_ORIGIN, LOG_URL, type ServedLog } from './served-log.ts'

/** A monitor in memory of one served log. */
export interface TestMonitor {
  readonly platform: Platform
  readonly watched: WatchedLog
  /** Aborted by a test in place of a deadline that passes. */
  readonly stop: AbortController
  run(): Promise<WatchReport>
  /** Runs until everything is verified. */
  settle(): Promise<WatchReport>
  /** What it says of the label of a leaf, verified; `size` is that of its checkpoint too. */
  says(index: number): Promise<LookupStatement>
  findings(): Promise<readonly KeptFinding[]>
}

/** `wrap` stands between the monitor and its platform; `slices` is what one run takes at most. */
export async function testMonitor(
  log: ServedLog,
  wrap: (base: Platform) => Platform = (base) => base,
  slices = 4,
): Promise<TestMonitor> {
  const base = withKeptKeys(
    openMemory({ now: () => START_MS, random: seededRandom(5), fetch: log.fetch }),
    'monitor',
  )
  const platform = wrap(base)
  const ports = await select(platform, MONITOR_NEEDS)
  const lookups = await select(base, LOOKUP_NEEDS)
  const stop = new AbortController()
  const monitor: Monitor = { verifiers: createVerifiers(), deadline: () => stop.signal, slices }
  const watched = { origin: LOG_ORIGIN, url: LOG_URL, policy: log.policy }
  const run = () => watchLog(ports, monitor, watched)
  return {
    platform: base,
    watched,
    stop,
    run,
    settle: async () => {
      for (let i = 0; i < 50; i++) {
        const report = await run()
        if (report.outcome !== 'behind') return report
      }
      throw new Error('the monitor never gets to the end')
    },
    says: async (index) => {
      const { lookup, checkpoint } = await lookUp(lookups, logIdOf(LOG_ORIGIN), askedAt(index))
      const said = await openLookup(lookup, lookups.keys.head.publicKey, monitor.verifiers)
      const { size, origin } = checkpointIn(checkpoint)
      if (said.size !== size || said.origin !== origin)
        throw new Error('another checkpoint than that of the lookup')
      return said
    },
    findings: () => listFindings(base.table('monitored'), LOG_ORIGIN),
  }
}
