// SPDX-License-Identifier: Apache-2.0
import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { figure, ROUNDS, time, type Bench, type Sample } from './measure.ts'
import { inFolder } from './worlds/durable.ts'

const ROOT = join(import.meta.dirname, '../..')
const PORT = 18_410
/** How often it is asked whether it serves. */
const POLL_MS = 10
const LONGEST_MS = 120_000

export const bench: Bench = {
  question: 'How long does `npm start` take to serve again after the first run?',
  run: () =>
    inFolder(async (folder) => {
      const npm = ['npm', 'start', '--', '--data', folder, '--port', String(PORT)]
      const direct = [process.execPath, join(ROOT, 'cli/ampere.mjs'), 'start', '--demo', '--data', folder]
      const first = await startOnce(npm)
      const samples = { npm: [] as Sample[], direct: [] as Sample[], floor: [] as Sample[] }
      for (let round = 0; round < ROUNDS; round++) {
        samples.npm.push(await startOnce(npm))
        samples.direct.push(await startOnce(direct))
        samples.floor.push(await time(() => ended(spawn(process.execPath, ['--eval', '']))))
      }
      const seconds = (list: readonly Sample[]) => list.map(({ wallMs }) => wallMs / 1000)
      return {
        sizes: `the demo's data folder; from starting the process until the home answers, asked every ${POLL_MS} ms; ${ROUNDS} rounds`,
        figures: [
          figure('npm start, after the first run', 's', seconds(samples.npm), { atMost: 3 }),
          figure('the same without npm', 's', seconds(samples.direct)),
          figure('floor: a Node process that does nothing', 's', seconds(samples.floor)),
          figure('the first run, apart', 's', seconds([first])),
        ],
        doesNotShow:
          'installing, which the very first start does; folders with many patients or many erasures, which a start carries out again; a disk whose cache is cold.',
      }
    }),
}

/** Starts, waits until the home answers, and stops again. The sample ends at the answer. */
async function startOnce([command = '', ...args]: readonly string[]): Promise<Sample> {
  // A group of its own, so that npm, its shell, the launcher and Node all get the signal.
  const child = spawn(command, args, { cwd: ROOT, stdio: 'ignore', detached: true })
  const end = ended(child)
  const sample = await time(() => serving(child))
  if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM')
  await end
  while (await answers()) await wait(POLL_MS)
  return sample
}

async function serving(child: ChildProcess): Promise<void> {
  const started = performance.now()
  while (!(await answers())) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`)
    if (performance.now() - started > LONGEST_MS) throw new Error('it does not serve')
    await wait(POLL_MS)
  }
}

async function answers(): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${PORT}/.well-known/ampere`)).ok
  } catch {
    return false
  }
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.once('exit', () => resolve()))
}
