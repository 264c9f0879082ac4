// SPDX-License-Identifier: Apache-2.0
import { expect } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fetchByApi } from '#adapters/aws/clients/emulated-api.ts'
import { cloudFolder } from '#cli/cloud/cloud-folder.ts'
import { CREDENTIALS } from '../stack.ts'

const AMPERE = fileURLToPath(new URL('../../../../cli/ampere.mjs', import.meta.url))
export const PASSPHRASE = 'of the test'
/** The keys of the log are made where the emulator has no keys of that kind. */
export const NATIVE = ['--param', 'nativeKeys=Ed25519']

const NAMES = new URL('../../localhost-names.mjs', import.meta.url).href

export const environment = () => ({
  ...process.env,
  PATH: `${join(process.execPath, '..')}:${process.env['PATH']}`,
  AWS_ENDPOINT_URL: process.env['AMPERE_AWS_MINISTACK'] ?? '',
  AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
  AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
  AWS_REGION: 'eu-central-1',
})

/** What a command ended with. */
export interface Told {
  readonly exit: number | null
  readonly said: Record<string, unknown>
}

/** Runs a command with a data folder against the emulator, in a process of its own. */
export async function tell(data: string, ...args: readonly string[]): Promise<Told> {
  const given = ['--disable-warning=ExperimentalWarning', `--import=${NAMES}`, AMPERE, ...args]
  const common = ['--data', data, '--no-input', '--json']
  const child = spawn(process.execPath, [...given, ...common], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let stdout = ''
  child.stdout.on('data', (part: Buffer) => (stdout += part.toString()))
  const [exit] = (await once(child, 'close')) as [number | null]
  return { exit, said: JSON.parse(stdout === '' ? '{}' : stdout) as Record<string, unknown> }
}

/** Runs one that has to end well. @returns what it said */
export async function ampere(data: string, ...args: readonly string[]): Promise<Record<string, unknown>> {
  const { exit, said } = await tell(data, ...args)
  expect({ args, exit, said: exit === 0 ? {} : said }).toEqual({ args, exit: 0, said: {} })
  return said
}

/** Asks an HTTP API of the emulator. */
export const ask = (request: Request): Promise<Response> => fetchByApi(environment())(request)

/** The folder of a stage, with the passphrase of the keys that will lie in it. */
export function stageFolder(data: string, stage: string): string {
  const folder = cloudFolder(data, 'aws', stage)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(join(folder, 'passphrase'), PASSPHRASE, { mode: 0o600 })
  return folder
}
