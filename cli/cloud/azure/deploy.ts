// SPDX-License-Identifier: Apache-2.0
import type { Outputs } from '#infra/deploy/azure/deployments.ts'
import { openPublisher, packageOf } from '#infra/deploy/azure/publish.ts'
import type { Deploying } from '../cloud.ts'
import { writeCloudDeployment, type CloudDeployment } from '../cloud-folder.ts'
import { configTexts, kib, statedDays, toldOf } from '../config-text.ts'
import { settingUp } from '../bridge/set-up.ts'
import type { Azure, Built } from './azure.ts'
import type { Examined } from './doctor.ts'
import { packageFiles } from './packages.ts'
import { applyStores, begin, keptIn, onceAllowed, openStores, required } from './stores.ts'

/** Cosmos DB keeps what was deleted for so many days, and nobody can have it keep less (infra/azure/stores.ts). */
const BACKUP_DAYS = 7
/**
 * Makes a deployment on Azure what it should be, from whatever there is: each step looks first, so that one that was interrupted goes on when
 * it is run again. Answers what is to be remembered.
 * @throws DeployFailure
 */
export async function deployAzure(
  asked: CloudDeployment,
  deploying: Deploying,
  azure: Azure,
): Promise<CloudDeployment> {
  const { say, folder } = deploying
  const begun = await begin(asked, deploying, azure)
  const { examined, wanted } = begun
  const { account, place } = examined
  say(`1 of 5  Subscription ${place.subscription}, as ${account.name}, in ${place.region}`)
  const built = await azure.build(examined.settings.deploys, say)
  say(`2 of 5  ${built.bundles.length} bundles, the largest ${kib(largest(built))}`)
  const outputs = await applyStores(begun, deploying)
  say(`3 of 5  Tables, stores, keys, apps and the address: ${outputs['origin']}`)
  const made = await setUp(wanted, outputs, examined, { deploying, azure })
  const deployed = { ...made, kept: keptIn(outputs) }
  writeCloudDeployment(folder, deployed)
  say(
    `4 of 5  ${deployed.home ? `Registry ${deployed.home.registry}` : `Keys of the bridge of ${deployed.bridge?.institution}`}`,
  )
  await publish(deployed, outputs, { examined, built, deploying, azure })
  say(`5 of 5  ${built.bundles.length} functions, each with its own identity`)
  const told = toldOf(deployed, BACKUP_DAYS)
  writeCloudDeployment(folder, told)
  return told
}

interface With {
  readonly deploying: Deploying
  readonly azure: Azure
}

/** Makes and wraps keys, and begins the registry with the institutions of this folder, by the rights that the template gave. */
async function setUp(
  wanted: CloudDeployment,
  outputs: Outputs,
  examined: Examined,
  { deploying, azure }: With,
): Promise<CloudDeployment> {
  const set = await settingUp(wanted, required(outputs, 'origin'), deploying)
  return onceAllowed(deploying, () => set(openStores(outputs, examined, azure)))
}

async function publish(
  deployed: CloudDeployment,
  outputs: Outputs,
  {
    examined,
    built,
    deploying,
    azure,
  }: With & { readonly examined: Pick<Examined, 'arm' | 'settings'>; readonly built: Built },
): Promise<void> {
  const { pause, say, folder } = deploying
  const send = openPublisher(examined.arm, { ...azure.connection, pause })
  const { otlpEndpoint, identities } = examined.settings
  const told = { backupDays: statedDays(deployed, BACKUP_DAYS), tableDays: BACKUP_DAYS, otlpEndpoint }
  const textOf = configTexts(deployed, folder, told)
  for (const role of inOrder(identities.map(({ name }) => name))) {
    await send(required(outputs, `${role}App`), packageOf(packageFiles(built.files(role), textOf(role))))
    say(`        ${role} is published`)
  }
}

/**
 * The sequencer first: nobody signs anything before it has said how the home stands, and it does once its schedule calls it, within a
 * minute. Nothing wakes it from here without a key of its app, so that minute passes while the others are published.
 */
function inOrder(roles: readonly string[]): readonly string[] {
  return roles.toSorted((a, b) => Number(b === FIRST) - Number(a === FIRST))
}

const FIRST = 'sequencer'

function largest({ bundles }: Built): number {
  return Math.max(...bundles.map(({ bytes }) => bytes))
}
