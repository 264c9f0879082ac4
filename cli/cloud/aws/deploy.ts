// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundleFolder, buildBundles } from '#infra/bundle/build.ts'
import { failure } from '#infra/deploy/failure.ts'
import { inTurn } from '#infra/deploy/turn.ts'
import { deployFunctions, wakeFunction } from '#infra/deploy/aws/functions.ts'
import { withStacks, type Stack } from '#infra/deploy/aws/stacks.ts'
import { settingsOf } from '#infra/aws/settings.ts'
import type { Deploying } from '../cloud.ts'
import { settingUp } from '../bridge/set-up.ts'
import type { FoundedInCloud } from '../founding/founding.ts'
import { accountOf } from './account.ts'
import { stackOf } from './stack-of.ts'
import { applyStores, openSettingUp, originOf } from './stores.ts'
import { readCloudDeployment, writeCloudDeployment, type CloudDeployment } from '../cloud-folder.ts'
import { configTexts, kib, statedDays, toldOf } from '../config-text.ts'

/**
 * Makes a deployment on AWS what it should be, from whatever there is: each step looks first, so that one that was interrupted goes on when
 * it is run again. Answers what is to be remembered.
 * @throws DeployFailure
 */
export async function deployAws(asked: CloudDeployment, deploying: Deploying): Promise<CloudDeployment> {
  const { stage, region, parameters } = asked
  const { say, folder } = deploying
  const { account, arn } = await accountOf(asked)
  if (!readCloudDeployment(folder)) await checkNew(asked, deploying)
  const wanted = { ...asked, account }
  // Before anything is made: whoever runs this again means the same account.
  writeCloudDeployment(folder, wanted)
  say(`1 of 6  Account ${account}, as ${arn.split('/').at(-1)}, in ${region}`)
  const deployed = await inTurn(`${bundleFolder('aws')}.turn`, say, () =>
    buildAndDeploy(wanted, account, deploying),
  )
  const told = toldOf(deployed, keyDaysOf(deployed))
  writeCloudDeployment(folder, told)
  if (told.home) {
    await wakeFunction({ stage, region, parameters }, 'sequencer')
    say('6 of 6  The sequencer has looked after the log')
  } else say('6 of 6  Nothing has to be woken')
  return told
}

/** What is built, told and uploaded lies in the folder of this software, whatever is deployed from it. */
async function buildAndDeploy(
  wanted: CloudDeployment,
  account: string,
  deploying: Deploying,
): Promise<CloudDeployment> {
  const { stage, region, parameters } = wanted
  const { say, folder } = deploying
  const bundles = await buildBundles('aws', undefined, settingsOf(stage, parameters).deploys)
  say(`2 of 6  ${bundles.length} bundles, the largest ${kib(Math.max(...bundles.map(({ bytes }) => bytes)))}`)
  const deployed = await makeKept(wanted, account, deploying)
  configure(
    deployed,
    bundles.map(({ role }) => role),
    folder,
  )
  await deployFunctions({ stage, region, parameters })
  say(`5 of 6  ${bundles.length} functions, each with its own role`)
  return deployed
}

/** Another folder has what its functions are told, and its keys. @throws DeployFailure for a deployment that is there */
export async function checkNew(
  { stage, region, parameters }: CloudDeployment,
  { pause }: Deploying,
): Promise<void> {
  const name = stackOf({ stage, parameters }, 'stores')
  if (await withStacks(region, pause, (stacks) => stacks.find(name)))
    throw failure(
      `${name} is there already, and this data folder knows nothing of it: nothing was changed`,
      'give --data FOLDER, the one from which it was deployed, or another --stage',
    )
}

/** Makes what a deployment keeps: stores, keys, its address, and the registry that it begins with. @throws DeployFailure */
export async function makeKept(
  wanted: CloudDeployment,
  account: string,
  deploying: Deploying,
): Promise<CloudDeployment> {
  const { say, folder } = deploying
  const stores = await applyStores(wanted, deploying)
  say(`3 of 6  Tables, buckets, keys and the address: ${originOf(stores)}`)
  const deployed = await setUp(wanted, stores, account, deploying)
  writeCloudDeployment(folder, deployed)
  say(
    `4 of 6  ${deployed.home ? `Registry ${deployed.home.registry}` : `Keys of the bridge of ${deployed.bridge?.institution}`}`,
  )
  return deployed
}

/** Takes on the role that sets up, which alone may make and wrap keys; it begins the registry with the institutions of this folder. */
async function setUp(
  wanted: CloudDeployment,
  stores: Stack,
  account: string,
  deploying: Deploying,
): Promise<CloudDeployment> {
  const set = await settingUp(wanted, originOf(stores), deploying)
  const made = await set(openSettingUp(wanted, stores, account))
  if (made.home) checkKept(wanted, made.home)
  return made
}

/** What others pinned stays: another parameter must not change who signs. @throws DeployFailure */
function checkKept({ home }: CloudDeployment, made: SigningKeys): void {
  if (!home || listed(home) === listed(made)) return
  throw failure(
    'the keys of the log and the witness would be others than those that this deployment began with, and that others know',
    'give nativeKeys as it was the first time',
  )
}

type SigningKeys = Pick<FoundedInCloud, 'log' | 'witness'>

function listed({ log, witness }: SigningKeys): string {
  return [...log, ...witness].join('\n')
}

/** For how long AWS keeps a key that was destroyed. */
function keyDaysOf({ stage, parameters }: CloudDeployment): number {
  return settingsOf(stage, parameters).keyRecoveryDays
}

/** Says to every function what it belongs to. */
function configure(deployed: CloudDeployment, roles: readonly string[], folder: string): void {
  const { stage, parameters } = deployed
  const { recoveryDays: tableDays, otlpEndpoint } = settingsOf(stage, parameters)
  const backupDays = statedDays(deployed, keyDaysOf(deployed))
  const textOf = configTexts(deployed, folder, { backupDays, tableDays, otlpEndpoint })
  for (const role of roles) writeFileSync(join(bundleFolder('aws'), role, 'ampere.json'), textOf(role))
}
