// SPDX-License-Identifier: Apache-2.0
import { describe } from '@jest/globals'
import { utf8 } from '#core/bytes/encoding.ts'
import { isAmpereError } from '#core/errors.ts'
import { evidenceOfFinding } from '#core/evidence/of-finding.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import { encodeBundle } from '#core/log/tile/bundle.ts'
import { TILE_WIDTH } from '#core/log/tile/path.ts'
import { SLICE_LEAVES } from '#core/server/monitor/slice.ts'
import { testMonitor, type TestMonitor } from '#tests/core/server/monitor/monitor.ts'
import { scene } from '#tests/core/server/monitor/scene.ts'
import {
  entriesTo,
  entryAt,
  LOG_ORIGIN,
  servedLog,
  type ServedLog,
} from '#tests/core/server/monitor/served-log.ts'
import { signerOf } from '#tests/core/log/signers.ts'
import { attacksOn, collidingSigners, renamed, withBadSignature, type Outcome } from './attack.ts'

const attack = attacksOn('monitor')

/** What a run comes to, and the file that its finding makes. */
async function runOf(monitor: TestMonitor, { logKey }: ServedLog): Promise<Outcome> {
  try {
    const { finding, outcome } = await monitor.run()
    const [kept] = await monitor.findings()
    const bytes = kept && evidenceOfFinding(kept, [logKey])
    const called = finding ?? outcome
    return bytes ? { called, evidence: { bytes, pins: { registry: null, logs: [logKey] } } } : { called }
  } catch (error) {
    if (!isAmpereError(error)) throw error
    return { called: error.code }
  }
}

/** What comes of showing a monitor, which has verified seven leaves, something. */
async function afterSeven(show: (log: ServedLog) => Promise<unknown>): Promise<Outcome> {
  const { log, monitor } = await scene()
  await show(log)
  return runOf(monitor, log)
}

/** What comes of serving something else of a log that takes two slices, so that tiles are read. */
async function ofLarge(instead: (path: string, served: Uint8Array) => Uint8Array | null): Promise<Outcome> {
  const log = await servedLog()
  const monitor = await testMonitor(log)
  await log.grow(SLICE_LEAVES + 300)
  log.instead.answer = (path) => {
    const other = instead(path, log.files.get(path) ?? new Uint8Array(0))
    return other && new Response(other.slice())
  }
  return runOf(monitor, log)
}

describe('a monitor of a malicious log', () => {
  attack('is shown a smaller tree than before, or a stale checkpoint', () => afterSeven((log) => log.grow(5)))

  attack('is shown another tree of a size that it has verified', () =>
    afterSeven((log) => log.grow(7, { forkAt: 3 })),
  )

  attack('is shown a larger tree that does not begin with the one it has verified', () =>
    afterSeven((log) => log.grow(9, { forkAt: 3 })),
  )

  attack('is shown a label at two indexes', () =>
    afterSeven((log) => log.publish([...entriesTo(8), entryAt(2, 0)])),
  )

  attack('is shown a leaf that is no log entry', () =>
    afterSeven((log) => log.publish([...entriesTo(7), utf8('something else')])),
  )

  attack('is served a truncated entry bundle', () =>
    afterSeven(async (log) => {
      await log.grow(9)
      const cut = encodeBundle(entriesTo(9)).slice(0, -1)
      log.instead.answer = (path) => (path.startsWith('tile/entries') ? new Response(cut) : null)
    }),
  )

  attack('is served a truncated tile', () =>
    ofLarge((path, served) => (path.startsWith('tile/1/') ? served.slice(0, -32) : null)),
  )

  attack('is served entry bundles in another order', () =>
    ofLarge((path) => {
      const index = ['tile/entries/000', 'tile/entries/001'].indexOf(path)
      if (index < 0) return null
      const start = (1 - index) * TILE_WIDTH
      return encodeBundle(entriesTo(2 * TILE_WIDTH).slice(start, start + TILE_WIDTH))
    }),
  )

  attack('is served a tile with its hashes in another order', () =>
    ofLarge((path, served) =>
      path.startsWith('tile/1/') ? Buffer.concat([served.subarray(32), served.subarray(0, 32)]) : null,
    ),
  )

  attack('is shown a checkpoint of another origin', () =>
    afterSeven(async (log) => {
      const own = await signerOf(LOG_ORIGIN, 'Ed25519', 1)
      await log.grow(9, { signer: renamed(own, 'other.example/log') })
    }),
  )

  attack('is shown a checkpoint with a bad signature by a known key beside a good one', async () => {
    const { log, monitor } = await scene()
    const second = await signerOf(LOG_ORIGIN, 'cosignature-ML-DSA-44', 7)
    const lines = [`log ${log.logKey}\n`, `log ${formatVerifierKey(second.key)}\n`, 'quorum none\n']
    Object.assign(monitor.watched, { policy: parsePolicy(lines.join('')) })
    const [note, line] = [await log.grow(9), await log.grow(9, { signer: second, cosigned: false })]
    const both = `${note.split('\n').slice(0, 5).join('\n')}\n${line.split('\n').slice(4).join('\n')}`
    log.files.set('checkpoint', utf8(withBadSignature(both, 1)))
    const refused = await runOf(monitor, log)
    log.files.set('checkpoint', utf8(both))
    return (await monitor.run()).outcome === 'current' ? refused : { called: 'refused always' }
  })

  attack('is shown a checkpoint signed by another key with the same name and key ID', async () => {
    const [pinned, other] = await collidingSigners(LOG_ORIGIN)
    const { log, monitor } = await scene()
    Object.assign(monitor.watched, {
      policy: parsePolicy(`log ${formatVerifierKey(pinned.key)}\nquorum none\n`),
    })
    await log.grow(9, { signer: other })
    const refused = await runOf(monitor, log)
    await log.grow(9, { signer: pinned })
    return (await monitor.run()).outcome === 'current' ? refused : { called: 'refused always' }
  })
})
