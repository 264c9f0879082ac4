// SPDX-License-Identifier: Apache-2.0
// Run by log-audit.ts: rebuilds a log from a data folder in this process, and prints time, CPU time, peak memory, root.
import { toBase64url } from '#core/bytes/encoding.ts'
import { EMPTY_EDGE, rootOf } from '#core/log/tile/grow.ts'
import { LogNotes } from '#core/server/audit/log/report.ts'
import { rebuild } from '#core/server/audit/log/tree/rebuild.ts'
import { time } from '../measure.ts'
import { localPlatform } from '../worlds/durable.ts'
import { peakMb } from './peak.ts'

const [folder = '', leaves] = process.argv.slice(2)
const size = Number(leaves)
const platform = localPlatform(folder)
const objects = platform.objects('log')
const notes = new LogNotes()
const end = { size, checkpoint: null, isCertain: true }
const ended = { root: '' }
const sample = await time(async () => {
  const edge = await rebuild({
    fetch: (path) => objects.fetch(path),
    size,
    start: EMPTY_EDGE,
    bad: new Map(),
    published: { within: async (_, last) => (last === size ? [end] : []) },
    notes,
    comparisons: notes,
    same: new Set(),
    pause: () => false,
    see: () => {},
  })
  if (!edge || notes.flaws.length > 0) throw new Error('the log is not in order')
  ended.root = toBase64url(rootOf(edge))
})
await platform.close()
process.stdout.write(JSON.stringify({ ...sample, peakMb: peakMb(), ...ended }))
