// SPDX-License-Identifier: Apache-2.0
// npm run bench [-- NAME ...] [--json]: each figure beside its floor, both measured in this run. Machines differ;
// the ratios are what counts.
import { cpus, loadavg, release, totalmem } from 'node:os'
import { bench as append } from './append.ts'
import { bench as appendHeight } from './append-height.ts'
import { bench as capacity } from './capacity/capacity.ts'
import { bench as cloudCalls } from './cloud/calls.ts'
import { bench as coldStart } from './cloud/cold-start.ts'
import { bench as cloudHandlers } from './cloud/handlers.ts'
import { bench as cloudReceipt } from './cloud/receipt.ts'
import { bench as cloudCost } from './cloud/cost.ts'
import { bench as consistency } from './consistency.ts'
import { bench as everything } from './everything.ts'
import { bench as importing } from './import.ts'
import { isMet, linesOf, type Bench } from './measure.ts'
import { bench as logAudit } from './log/audit.ts'
import { bench as logTiles } from './log/tiles.ts'
import { bench as restart } from './restart.ts'
import { bench as rotation } from './rotation.ts'
import { bench as seal } from './seal.ts'
import { bench as logReceipt } from './log/receipt.ts'
import { bench as sequence } from './log/sequence.ts'
import { bench as logStored } from './log/stored.ts'
import { bench as logWait } from './log/waiting.ts'
import { bench as token } from './token.ts'
import { bench as traces } from './traces.ts'
import { bench as verify } from './verify.ts'
import { bench as verifyMemory } from './verify-memory.ts'

const BENCHES: Readonly<Record<string, Bench>> = {
  verify,
  'verify-memory': verifyMemory,
  append,
  'append-height': appendHeight,
  seal,
  rotation,
  import: importing,
  consistency,
  everything,
  restart,
  sequence,
  'log-tiles': logTiles,
  'log-wait': logWait,
  'log-stored': logStored,
  'log-receipt': logReceipt,
  'log-audit': logAudit,
  token,
  traces,
  capacity,
  'cloud-calls': cloudCalls,
  'cloud-cost': cloudCost,
  'cold-start': coldStart,
  'cloud-handlers': cloudHandlers,
  'cloud-receipt': cloudReceipt,
}

const machine = {
  node: process.version,
  cores: cpus().length,
  cpu: cpus()[0]?.model ?? 'unknown',
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  system: `${process.platform} ${release()}`,
  // Above zero before anything was started here, others were using the machine.
  loadAtStart: Math.round((loadavg()[0] ?? 0) * 100) / 100,
}
const given = process.argv.slice(2)
const asJson = given.includes('--json')
const wanted = given.filter((argument) => argument !== '--json')
const unknown = wanted.filter((name) => !(name in BENCHES))
if (unknown.length > 0) {
  process.stderr.write(`usage: npm run bench [-- ${Object.keys(BENCHES).join('|')} ...] [--json]\n`)
  process.exit(2)
}
const results = []
if (!asJson) {
  const { node, cores, cpu, memoryGiB, system, loadAtStart } = machine
  process.stdout.write(
    `Node ${node}, ${cores} cores of ${cpu}, ${memoryGiB} GiB, ${system}, load ${loadAtStart}\n\n`,
  )
}
for (const [name, { question, run }] of Object.entries(BENCHES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const result = await run()
  const figures = result.figures.map((item) => ({ ...item, met: isMet(item) }))
  results.push({ name, question, ...result, figures })
  if (!asJson) process.stdout.write(`${linesOf(name, question, result).join('\n')}\n\n`)
}
if (asJson) process.stdout.write(`${JSON.stringify({ machine, results }, null, 2)}\n`)
