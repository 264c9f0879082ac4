// SPDX-License-Identifier: Apache-2.0
import { describe } from '@jest/globals'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const REQUIREMENTS = join(HERE, 'requirements.txt')
const BUILT = fileURLToPath(new URL('../../../node_modules/.cache/interop-python-tlog/', import.meta.url))
const PYTHON = join(BUILT, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')
/** A copy of the requirements that the environment was made of. */
const STAMP = join(BUILT, 'made-of.txt')
const NEEDS = 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'

/**
 * `describe` where Python is and the package comes from PyPI, into an environment of its own; elsewhere the tests are
 * skipped under a name that says why.
 */
export function describeWithTlogPackage(name: string, tests: () => void): void {
  const missing = whatIsMissing()
  if (missing === null) {
    describe(name, tests)
    return
  }
  const skipped = `${name} (skipped: ${missing})`
  describe.skip(skipped, tests)
  // Jest only counts the tests of a file in which all are skipped.
  process.stderr.write(`${skipped}\n`)
}

/** What is to be judged, see judge_log.py. */
export interface Asked {
  readonly url: string
  readonly key: string
  readonly witnesses?: readonly string[]
  readonly note?: string
  readonly older?: { readonly size: number; readonly root: string }
}

/** What the package says. */
export interface Said {
  readonly error?: string
  readonly size?: number
  readonly sha256?: string
  readonly cosigned?: readonly string[]
}

/** What the package says of each, in one run. Not spawnSync: the log is served by this very process. */
export async function judgeLogs(asked: readonly Asked[]): Promise<readonly Said[]> {
  const running = spawn(PYTHON, ['-B', join(HERE, 'judge_log.py')])
  running.stderr.pipe(process.stderr)
  running.stdin.end(asked.map((each) => `${JSON.stringify(each)}\n`).join(''))
  const chunks: Buffer[] = []
  for await (const chunk of running.stdout) chunks.push(chunk as Buffer)
  const lines = Buffer.concat(chunks).toString().split('\n').slice(0, -1)
  if (lines.length !== asked.length) throw new Error(`Python gave ${lines.length} of ${asked.length} answers`)
  return lines.map((line) => JSON.parse(line) as Said)
}

function whatIsMissing(): string | null {
  const requirements = readFileSync(REQUIREMENTS, 'utf8')
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === requirements && run(PYTHON, ['--version']))
    return null
  if (!run('python3', ['-c', NEEDS])) return 'there is no python3 from 3.11 with venv and pip'
  rmSync(BUILT, { recursive: true, force: true })
  if (!run('python3', ['-m', 'venv', BUILT])) return 'python3 made no virtual environment'
  // The package asks for 3.12 and runs on 3.11. All it needs is listed, and nothing is built.
  const flags = ['--quiet', '--no-deps', '--only-binary', ':all:', '--ignore-requires-python']
  if (!run(PYTHON, ['-m', 'pip', 'install', ...flags, '-r', REQUIREMENTS]))
    return 'pip gave no aics-tlog; is PyPI reachable?'
  writeFileSync(STAMP, requirements)
  return null
}

function run(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore', timeout: 180_000 }).status === 0
}
