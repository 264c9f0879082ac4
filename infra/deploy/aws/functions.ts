// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { failure } from '../failure.ts'

const ROOT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))
/** Lines of the framework's output that are shown of a failure. */
const LAST_LINES = 12

/** Which deployment, and its parameters beside their defaults. */
export interface FunctionsStack {
  readonly stage: string
  readonly region: string
  readonly parameters: Readonly<Record<string, string>>
}

/** Deploys what runs. @throws DeployFailure with the last lines of what the framework said */
export async function deployFunctions(stack: FunctionsStack): Promise<void> {
  await serverless(['deploy', ...argumentsOf(stack)])
}

/** Removes what runs; tables, buckets, keys and the address are in the other stack. @throws DeployFailure */
export async function removeFunctions(stack: FunctionsStack): Promise<void> {
  await serverless(['remove', ...argumentsOf(stack)])
}

/** Wakes a role once, and waits until it ends. @throws DeployFailure when it failed */
export async function wakeFunction(stack: FunctionsStack, role: string): Promise<void> {
  await serverless(['invoke', '--function', role, '--data', '{}', ...argumentsOf(stack)])
}

function argumentsOf({ stage, region, parameters }: FunctionsStack): string[] {
  const given = Object.entries(parameters).flatMap(([name, value]) => ['--param', `${name}=${value}`])
  return ['--stage', stage, '--region', region, ...given]
}

function serverless(args: readonly string[]): Promise<void> {
  const manifest = createRequire(import.meta.url).resolve('serverless/package.json')
  const program = join(dirname(manifest), 'bin', 'serverless.js')
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, SLS_TELEMETRY_DISABLED: '1', SLS_NOTIFICATIONS_MODE: 'off', FORCE_COLOR: '0' },
  })
  const lines: string[] = []
  const keep = (chunk: Buffer) => {
    lines.push(
      ...chunk
        .toString('utf8')
        .split('\n')
        .map((line) => line.trimEnd())
        .filter((line) => line !== ''),
    )
    lines.splice(0, lines.length - LAST_LINES)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve()
      else
        reject(
          failure(
            `serverless ${args[0]} failed:\n${lines.join('\n')}`,
            'put that right, then run this again',
          ),
        )
    })
  })
}
