// SPDX-License-Identifier: Apache-2.0
// npm run bench: each figure beside its floor, both measured in this run. Machines differ; the ratios are what counts.
import { cpus } from 'node:os'
import { benchAppend } from './append.ts'
import { benchConsistency } from './consistency.ts'
import { benchImport } from './import.ts'
import { benchSeal } from './seal.ts'
import { benchVerify } from './verify.ts'

process.stdout.write(
  `Node ${process.version}, ${cpus().length} cores of ${cpus()[0]?.model ?? 'unknown'}\n\n`,
)
for (const bench of [benchVerify, benchSeal, benchAppend, benchImport, benchConsistency]) {
  for (const line of await bench()) process.stdout.write(`${line}\n`)
  process.stdout.write('\n')
}
