// SPDX-License-Identifier: Apache-2.0
import { afterEach } from '@jest/globals'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { newKeyFile } from '#adapters/local/keys/key-file.ts'
import { replaceFile } from '#adapters/local/store/durable-file.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const FLAGS = ['--input-type=module-typescript', '--disable-warning=ExperimentalWarning']

const running = new Set<ChildProcess>()
// A test that fails must not leave a process behind that keeps everything waiting.
afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
})

/** A program in a process of its own. */
export interface Running {
  readonly pid: number
  /** Resolves when that many lines were printed, or when the process has ended. */
  readonly printed: (lines: number) => Promise<readonly string[]>
  readonly kill: () => void
  /** Its whole lines, after it has ended. */
  readonly ended: Promise<readonly string[]>
}

export interface RunOptions {
  readonly flags?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly uid?: number
  /** Command and arguments to run it under; what they say on standard error is not shown. */
  readonly under?: readonly string[]
}

/** Starts TypeScript that may import `#adapters/...` and prints lines. */
export function run(program: string, options: RunOptions = {}): Running {
  const node = [process.execPath, ...FLAGS, ...(options.flags ?? []), '-e', program]
  const [command = '', ...given] = [...(options.under ?? []), ...node]
  const child = spawn(command, given, {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', options.under === undefined ? 'inherit' : 'ignore'],
    env: { ...process.env, ...options.environment },
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  })
  running.add(child)
  let text = ''
  let hasEnded = false
  const waiting = new Set<() => void>()
  const lines = () => text.split('\n').slice(0, -1)
  const wake = () => {
    for (const look of waiting) look()
  }
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
    wake()
  })
  const ended = new Promise<readonly string[]>((resolve) => {
    child.on('close', () => {
      hasEnded = true
      running.delete(child)
      wake()
      resolve(lines())
    })
  })
  const printed = (count: number) =>
    new Promise<readonly string[]>((resolve) => {
      const look = () => {
        if (lines().length < count && !hasEnded) return
        waiting.delete(look)
        resolve(lines())
      }
      waiting.add(look)
      look()
    })
  return { pid: child.pid ?? 0, printed, kill: () => void child.kill('SIGKILL'), ended }
}

/** A new empty folder. */
export function makeFolder(name = 'ampere-local-'): string {
  return mkdtempSync(join(tmpdir(), name))
}

/** A new folder for the passphrase "test" whose key file costs next to nothing to open: scrypt has tests of its own. */
export function makeDataFolder(): string {
  const folder = makeFolder()
  makeCheapKeyFile(join(folder, 'keys.json'), 'test')
  return folder
}

/** An empty key file with scrypt's costs as low as they go. */
export function makeCheapKeyFile(file: string, passphrase: string): string {
  replaceFile(file, JSON.stringify(newKeyFile(passphrase, { N: 2, r: 1, p: 1 }).content))
  return file
}

/** Paths, below the folder, of the files that contain a text. */
export function filesWith(folder: string, text: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => statSync(join(folder, name)).isFile() && readFileSync(join(folder, name)).includes(text),
  )
}
