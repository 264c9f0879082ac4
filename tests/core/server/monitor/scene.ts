// SPDX-License-Identifier: Apache-2.0
import { toHex } from '#core/bytes/encoding.ts'
import { checkpointIn } from '#core/log/note/checkpoint.ts'
import { servedLog, type ServedLog } from './served-log.ts'
import { testMonitor, type TestMonitor } from './monitor.ts'

/** A log of which seven leaves are verified. */
export async function scene(): Promise<{ readonly log: ServedLog; readonly monitor: TestMonitor }> {
  const log = await servedLog()
  const monitor = await testMonitor(log)
  await log.grow(7)
  await monitor.run()
  return { log, monitor }
}

/** The finding that there is, with what its notes say. */
export async function only(monitor: TestMonitor) {
  const [finding, ...others] = await monitor.findings()
  if (!finding || others.length > 0) throw new Error('not exactly one finding')
  const sizes = finding.notes.map((note) => checkpointIn(note).size)
  const roots = new Set(finding.notes.map((note) => toHex(checkpointIn(note).root)))
  return { kind: finding.kind, sizes, roots: roots.size, leaves: finding.leaves }
}
