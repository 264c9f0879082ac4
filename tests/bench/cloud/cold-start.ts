// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Provider } from '#infra/bundle/bundle.ts'
import type { Asked, Told } from '../children/cold-start.ts'
import { figure, median, ratios, type Bench, type Figure } from '../measure.ts'
import { onEmulators } from './emulators.ts'
import { profileOf } from './profile.ts'
import { roleBundles, type RoleBundles } from './role-bundles.ts'

const PROVIDERS = ['aws', 'azure'] as const
const ROUNDS = 5
const GOAL_MS = 400
/** Of which it is told what takes the time. */
const PROFILED: readonly string[] = ['writer', 'sequencer']
/** Not in step: the fakes answer in this process. */
const run = promisify(execFile)
const CHILD = fileURLToPath(new URL('../children/cold-start.ts', import.meta.url))
const FLAGS = ['--disable-warning=ExperimentalWarning']

export const bench: Bench = {
  question: 'How long until the bundle of each role, in a fresh process, has given its first answer?',
  run: async () => {
    const figures: Figure[] = []
    for (const provider of PROVIDERS)
      figures.push(...(await onEmulators(provider, () => coldStarts(provider))))
    return {
      sizes: `Node ${process.version}; ${ROUNDS} processes of each role and an empty one before each, medians; stores and keys are emulators, whose time is in it`,
      figures,
      doesNotShow:
        'a cold start of a cloud: its sandbox, the download of the code, its slower and shared processors, its network; and the roles of a bridge. The first answer reads the stores and unwraps the keys of the role; the writer signs, and what is only woken does one run.',
    }
  },
}

async function coldStarts(provider: Provider): Promise<readonly Figure[]> {
  const built = await roleBundles(provider)
  try {
    const figures: Figure[] = []
    for (const { role, bytes } of built.bundles)
      figures.push(...(await figuresOf(provider, role, bytes, built)))
    return figures
  } finally {
    await built.close()
  }
}

async function figuresOf(
  provider: Provider,
  role: string,
  bytes: number,
  built: RoleBundles,
): Promise<readonly Figure[]> {
  const asked = built.asked(role)
  // The first one finds nothing in the cache of the file system.
  await start(asked, built.env)
  const rounds: (Told & { readonly emptyMs: number; readonly wallMs: number })[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const empty = await timed(() => run(process.execPath, ['--eval', '0']))
    const { told, wallMs } = await start(asked, built.env)
    rounds.push({ ...told, emptyMs: empty.wallMs, wallMs })
  }
  const of = (get: (round: (typeof rounds)[number]) => number) => rounds.map(get)
  const spent = PROFILED.includes(role) ? ` (${await profiled(asked, built.env)})` : ''
  const importMs = median(of((round) => round.importMs)).toFixed(0)
  const name = `${provider} ${role}`
  return [
    figure(
      `${name} (${Math.ceil(bytes / 1024)} KiB, import ${importMs} ms): first answer`,
      'ms',
      of((round) => round.importMs + round.answerMs),
      { atMost: GOAL_MS },
    ),
    figure(
      `${name}: CPU of that${spent}`,
      'ms',
      of((round) => round.cpuMs),
    ),
    figure(
      `${name}: whole process to an empty one`,
      '',
      ratios(
        of((round) => round.wallMs),
        of((round) => round.emptyMs),
      ),
    ),
  ]
}

async function profiled(asked: Asked, env: RoleBundles['env']): Promise<string> {
  return profileOf([...FLAGS, CHILD, JSON.stringify(asked)], { PATH: process.env['PATH'], ...env })
}

async function start(
  asked: Asked,
  env: RoleBundles['env'],
): Promise<{ readonly told: Told; readonly wallMs: number }> {
  const given = { env: { PATH: process.env['PATH'], ...env } }
  const { result, wallMs } = await timed(() =>
    run(process.execPath, [...FLAGS, CHILD, JSON.stringify(asked)], given),
  )
  const { stdout } = result
  const told = JSON.parse(stdout.slice(stdout.lastIndexOf('\n') + 1)) as Told
  if (told.status >= 500) throw new Error(`a bundle answered ${told.status}: ${stdout}`)
  return { told, wallMs }
}

async function timed<T>(act: () => Promise<T>): Promise<{ readonly result: T; readonly wallMs: number }> {
  const begun = performance.now()
  const result = await act()
  return { result, wallMs: performance.now() - begun }
}
