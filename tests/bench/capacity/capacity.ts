// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { figure, type Bench } from '../measure.ts'
import { answer, ASKED, SEED } from './answers.ts'
import { PROFILES } from './limits.ts'
import { measureCalls } from './measured.ts'
import { capacityPage } from './page.ts'
import { callsOf } from './tally.ts'

const PAGE = fileURLToPath(new URL('../../../docs/CAPACITY.md', import.meta.url))

export const bench: Bench = {
  question: `What would one home carry on each cloud, and what limits first, up to ${ASKED.toLocaleString('en')} appends/s?`,
  run: async () => {
    const measured = await measureCalls()
    const answers = PROFILES.map((profile) => answer(measured, profile))
    const machine = `Node ${process.version}, ${cpus().length} cores of ${cpus()[0]?.model ?? 'unknown'}, load ${(loadavg()[0] ?? 0).toFixed(1)} (above the number of cores, CPU times are too long)`
    if (process.env['WRITE'] === '1') writeFileSync(PAGE, capacityPage(measured, answers, machine))
    const { append, perChain, receipt } = measured
    return {
      sizes: `a model: calls, bytes and CPU time are measured here, limits are from documentation, times of calls are assumed (docs/CAPACITY.md); seed ${SEED}`,
      figures: [
        figure('table and object calls of an append', '', [callsOf(append, 'table.', 'objects.')]),
        figure('calls of a run for each chain', '', [callsOf(perChain, 'table.')]),
        figure('calls of a receipt', '', [callsOf(receipt, 'table.', 'objects.')]),
        figure('CPU of the sequencer for a chain', 'ms', [measured.cpuMsPerChain]),
        figure('log bytes of a block, and of its row', 'B', [
          measured.logBytesPerLeaf + measured.leafRowBytes,
        ]),
        ...answers.flatMap(({ profile: { provider }, carries, limits }) => [
          figure(`${provider}: one home carries`, 'appends/s', [carries]),
          ...limits
            .slice(0, 3)
            .map(({ name, appendsPerSecond }) =>
              figure(`${provider}: ${name} is reached`, 'appends/s', [appendsPerSecond]),
            ),
        ]),
      ],
      doesNotShow:
        'any cloud: nothing of this ran on one; readers, mirrors, witnesses; blocks of one chain that are logged together.',
    }
  },
}
