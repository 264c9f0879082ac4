// SPDX-License-Identifier: Apache-2.0
import { openMemory } from '#adapters/memory/open.ts'
import { withKeptKeys } from '#tests/kept-keys.ts'
import { logIdOf } from '#core/api/log.ts'
import { openLookup, type FoundLeaf, type LookupStatement } from '#core/api/lookup.ts'
import { fromBase64url } from '#core/bytes/encoding.ts'
import { encodeLeaf } from '#core/block/leaf.ts'
import { equalBytes } from '#core/bytes/frame.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { checkpointIn } from '#core/log/note/checkpoint.ts'
import { parseTlogProof, verifyTlogProof } from '#core/log/tlog-proof.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { listFindings, type KeptFinding } from '#core/server/monitor/against/findings.ts'
import { lookUp } from '#core/server/monitor/lookup.ts'
import { LOOKUP_NEEDS, MONITOR_NEEDS, type Monitor, type WatchedLog } from '#core/server/monitor/needs.ts'
import { watchLog, type WatchReport } from '#core/server/monitor/watch.ts'
import { seededRandom, START_MS } from '#tests/deployment.ts'
import { askedAt, labelAt, LOG_ORIGIN, LOG_URL, type ServedLog } from './served-log.ts'

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

/** As everybody can check it: a leaf with that label and the block of that hash is at the index, under the checkpoint. */
async function checkFound(
  { receipt, hash }: FoundLeaf,
  checkpoint: string,
  index: number,
  policy: WatchedLog['policy'],
): Promise<void> {
  const proof = parseTlogProof(`${receipt}${checkpoint}`)
  const leaf = { label: labelAt(index), hash: fromBase64url(hash) }
  const { index: at } = await verifyTlogProof(proof, encodeLeaf(leaf), policy, createVerifiers())
  if (at !== index || !equalBytes(proof.extra ?? new Uint8Array(0), leaf.label))
    throw new Error('the proof is of another place')
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
      const { lookup, checkpoint, found } = await lookUp(lookups, logIdOf(LOG_ORIGIN), askedAt(index))
      const said = await openLookup(lookup, lookups.keys.head.publicKey, monitor.verifiers)
      const { size, origin } = checkpointIn(checkpoint)
      if (said.size !== size || said.origin !== origin)
        throw new Error('another checkpoint than that of the lookup')
      if ((found === null) !== (said.index === null))
        throw new Error('a proof without an index, or the reverse')
      if (found) await checkFound(found, checkpoint, index, log.policy)
      return said
    },
    findings: () => listFindings(base.table('monitored'), LOG_ORIGIN),
  }
}
