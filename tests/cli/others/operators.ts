// SPDX-License-Identifier: Apache-2.0
import { readSettings, type Settings } from '#cli/deployment/settings.ts'
import { runProcess, testPort, type Ended } from '../harness.ts'
import { daysLater } from '../another-time.ts'
import { told } from '../told.ts'

/** Acts as if it were some days ago: an erasure is completed three days after it was requested. */
export const earlier = (days: number, act: () => Promise<void>): Promise<void> => daysLater(-days, act)

/** What a folder was set up with. */
export function settingsOf(folder: string): Settings {
  const settings = readSettings(folder)
  if (!settings) throw new Error('nothing was set up')
  return settings
}

/** Runs a command in a process that ends itself by SIGKILL when it is about to ask for part of a copy the `after`th time. */
export function killedBefore(after: number, args: readonly string[]): Promise<Ended> {
  const source = `const real = fetch; let left = ${after}
    globalThis.fetch = (request) => {
      if (String(request.url ?? request).includes('/v1/copies/') && --left === 0) process.kill(process.pid, 'SIGKILL')
      return real(request)
    }`
  const load = `--import=data:text/javascript;base64,${Buffer.from(source).toString('base64')}`
  return runProcess(args, { NODE_OPTIONS: load })
}

/** Makes a deployment of one institution with a generated passphrase. */
export const init = (folder: string, institution: string, port: number) =>
  told(folder, 'init', '--institution', institution, '--passphrase', 'generated', '--port', testPort(port))

/** Until all that the home published has the cosignatures that its policy wants. */
export async function witnessed(folder: string): Promise<void> {
  while ((await told(folder, 'witness', 'status'))['reached'] !== true);
}
