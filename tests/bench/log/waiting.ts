// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { figure, median, type Bench, type Figure, type Sample } from '../measure.ts'
import { inFolder } from '../worlds/durable.ts'
import { packBodies, prepareClients } from '../worlds/many-clients.ts'
import { startChild } from '../worlds/processes.ts'

const CLIENTS = 64
/** Blocks of each client in a round. */
const EACH = 4
/** At each interval: as many rounds without waiting, until logged, and until witnessed. */
const WAIT_ROUNDS = 5
const LEVELS = [undefined, 'logged', 'witnessed'] as const
/** How often the log is tended, in ms, and what is wanted of the median until it is logged. */
const INTERVALS = [
  { intervalMs: 1000, goalMs: 1200 },
  { intervalMs: 100, goalMs: 150 },
] as const
/** What witnesses may add to it. */
const WITNESSED_GOAL_MS = 250

interface Sent extends Sample {
  readonly latencies: readonly number[]
}

export const bench: Bench = {
  question: 'How long does an append take that waits until it is logged, or witnessed?',
  run: async () => {
    const figures: Figure[] = []
    for (const { intervalMs, goalMs } of INTERVALS) figures.push(...(await measure(intervalMs, goalMs)))
    return {
      sizes: `${CLIENTS} clients with a chain each over HTTP, one entry of 1,500 bytes per block, ${EACH} blocks per client and round, ${WAIT_ROUNDS} rounds each; home and clients are two processes on this machine; two witnesses with stores and keys of their own in the home's process, of which both must cosign with both keys`,
      figures,
      doesNotShow:
        'witnesses that are far away: each adds the time to it and back; a home on functions, where the log is tended by a feed of changes.',
    }
  },
}

function measure(intervalMs: number, goalMs: number): Promise<readonly Figure[]> {
  return inFolder(async (folder) => {
    const rounds = WAIT_ROUNDS * LEVELS.length
    const { chains } = await prepareClients(folder, { clients: CLIENTS, each: EACH, rounds, bytes: 1500 })
    const file = join(folder, 'appends.bin')
    writeFileSync(file, packBodies(chains))
    const home = await startChild<{ port: number }>('serve-logged-home.ts', [folder, String(intervalMs)])
    const sender = await startChild<Sent>('send-appends.ts', [file, String(home.ready.port)])
    const medians: number[][] = LEVELS.map(() => [])
    await sender.ask({ each: EACH })
    for (let round = 0; round < WAIT_ROUNDS; round++) {
      for (const [i, wait] of LEVELS.entries()) {
        const { latencies } = await sender.ask(wait === undefined ? { each: EACH } : { each: EACH, wait })
        medians[i]?.push(median(latencies))
      }
    }
    await sender.end()
    await home.end()
    const [plain = [], logged = [], witnessed = []] = medians
    const at = `tended each ${intervalMs} ms`
    return [
      figure(`${at}: not waiting, median`, 'ms', plain),
      figure(`${at}: until logged, median`, 'ms', logged, { atMost: goalMs }),
      figure(`${at}: until witnessed, median`, 'ms', witnessed),
      figure(
        `${at}: witnessed after logged`,
        'ms',
        witnessed.map((value, i) => value - (logged[i] ?? Number.NaN)),
        { atMost: WITNESSED_GOAL_MS },
      ),
    ]
  })
}
