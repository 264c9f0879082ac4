// SPDX-License-Identifier: Apache-2.0
import { expect } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cloudFolder, readCloudDeployment } from '#cli/cloud/cloud-folder.ts'
import type { Provider } from '#cli/cloud/providers.ts'
import { freshFolder, jsonOf } from '#tests/cli/harness.ts'
import { ampere, environment, NATIVE, stageFolder } from '../../aws/deploy/commands.ts'
import { emulatedAzure, type EmulatedAzure } from '../../azure/deploy/bridge/emulated.ts'
import { runOn } from '../../azure/deploy/world.ts'

const INTERRUPTED = fileURLToPath(new URL('../../aws/deploy/interrupted.ts', import.meta.url))
export const [TOWN, CITY, WARD] = ['town', 'city', 'ward'] as const
const FOUNDERS = ['--institution', 'city-hospital=City Hospital', '--institution', 'city-clinic=City Clinic']

/** A home that was deployed to a cloud, as this computer remembers it. */
export interface DeployedHome {
  readonly name: string
  readonly folder: string
  readonly origin: string
  readonly log: readonly string[]
  readonly witness: readonly string[]
}

/** A home on AWS, deployed by the real framework, and one on Azure, by its bundles; each witnesses the other's log. */
export interface TwoClouds {
  readonly data: string
  readonly town: DeployedHome
  readonly city: DeployedHome
  readonly on: EmulatedAzure
  /** Deploys a stage of Azure. */
  readonly deployAzure: (stage: string, ...args: readonly string[]) => Promise<Record<string, unknown>>
  readonly close: () => Promise<void>
}

/**
 * The keys of both are there before any of the two is told of the other, so that each is deployed with the other as its witness: on AWS
 * once, because the framework takes longer than all else.
 */
export async function twoClouds(): Promise<TwoClouds> {
  const data = freshFolder()
  stageFolder(data, TOWN)
  const on = await emulatedAzure([CITY, WARD])
  const deployAzure = async (stage: string, ...args: readonly string[]) => {
    await on.turnTo(stage)
    const given = ['deploy', 'azure', '--stage', stage, ...args, '--data', data, '--no-input', '--json']
    const ended = await runOn(on.azure, given, { env: environment() })
    expect({ code: ended.code, said: ended.code === 0 ? '' : ended.out }).toEqual({ code: 0, said: '' })
    return jsonOf(ended)
  }
  await interrupted(cloudFolder(data, 'aws', TOWN))
  await deployAzure(CITY, ...FOUNDERS, '--demo')
  const [town, city] = [homeOf(data, 'aws', TOWN), homeOf(data, 'azure', CITY)]
  for (const [own, other] of [
    [town, city],
    [city, town],
  ] as const) {
    const file = keysOf(data, other)
    await ampere(data, 'witness', 'add', '--keys', file, '--cloud', own.name)
    await ampere(data, 'witness', 'accept', '--keys', file, '--cloud', own.name)
  }
  await deployAzure(CITY)
  await ampere(data, 'deploy', 'aws', '--stage', TOWN, ...NATIVE)
  return { data, town, city, on, deployAzure, close: () => on.close() }
}

/** Founds the home on AWS, and ends before anything of it runs. */
async function interrupted(folder: string): Promise<void> {
  const args = ['--disable-warning=ExperimentalWarning', INTERRUPTED, folder, TOWN, '4']
  const child = spawn(process.execPath, args, { env: environment(), stdio: 'ignore' })
  expect((await once(child, 'close'))[0]).toBe(9)
}

function homeOf(data: string, provider: Provider, stage: string): DeployedHome {
  const folder = cloudFolder(data, provider, stage)
  const home = readCloudDeployment(folder)?.home
  if (!home) throw new Error(`no home was founded as ${stage}`)
  const { origin, log, witness } = home
  return { name: `${provider}-${stage}`, folder, origin, log, witness }
}

/** What the operator of a home hands over to others. */
function keysOf(data: string, { name, origin, log, witness }: DeployedHome): string {
  const file = join(data, `${name}.keys`)
  const logs = log.map((key) => `log ${key} ${origin}/log\n`)
  const witnesses = witness.map((key, at) => `witness ${name}-${at} ${key} ${origin}/witness\n`)
  writeFileSync(file, [...logs, ...witnesses].join(''))
  return file
}

/** The passphrase of the keys beside a home. */
export function passphraseOf({ folder }: DeployedHome): string {
  return readFileSync(join(folder, 'passphrase'), 'utf8').trim()
}
