// SPDX-License-Identifier: Apache-2.0
import { isAmpereError } from '#core/errors.ts'
import { keyNamingOf } from '#infra/azure/keys.ts'
import { applyTemplate, makeGroup, type Outputs } from '#infra/deploy/azure/deployments.ts'
import { openPublisher, packageOf } from '#infra/deploy/azure/publish.ts'
import { failure } from '#infra/deploy/failure.ts'
import type { Deploying } from '../cloud.ts'
import { readCloudDeployment, writeCloudDeployment, type CloudDeployment } from '../cloud-folder.ts'
import { configText, kib } from '../config-text.ts'
import { founding } from '../founding.ts'
import type { Azure, Built } from './azure.ts'
import { changesOf, examine, type Examined } from './doctor.ts'
import { packageFiles } from './packages.ts'
import { summaryOf } from './plan.ts'

/** Cosmos DB keeps what was deleted for so many days, and nobody can have it keep less (infra/azure/stores.ts). */
const BACKUP_DAYS = 7
/** New rights count after minutes, and new names are found after seconds. Between two tries, and for how long at most, in milliseconds. */
const AGAIN_MS = 10_000
const RIGHTS_MS = 900_000
const FOUND_MS = 60_000

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
  const { say, folder, pause } = deploying
  const examined = await examine(asked, azure)
  const { arm, account, place, template } = examined
  if (examined.former && !readCloudDeployment(folder))
    throw failure(
      `${place.group} was deployed already, and this data folder knows nothing of it: nothing was changed`,
      'give --data FOLDER, the one from which it was deployed, or another --stage',
    )
  const wanted = { ...asked, subscription: place.subscription }
  // Before anything is made: whoever runs this again means the same subscription.
  writeCloudDeployment(folder, wanted)
  say(`1 of 5  Subscription ${place.subscription}, as ${account.name}, in ${place.region}`)
  const built = await azure.build()
  say(`2 of 5  ${built.bundles.length} bundles, the largest ${kib(largest(built))}`)
  await makeGroup(arm, place)
  const changes = examined.changes ?? (await changesOf(examined))
  say(`        Resources: ${summaryOf(changes)}`)
  const outputs = await applyTemplate(arm, place, template, { pause, say })
  say(`3 of 5  Tables, stores, keys, apps and the address: ${outputs['origin']}`)
  const deployed = await setUpHome(wanted, outputs, examined, { deploying, azure })
  writeCloudDeployment(folder, deployed)
  say(`4 of 5  Registry ${deployed.home?.registry}`)
  await publish(deployed, outputs, { examined, built, deploying, azure })
  say(`5 of 5  ${built.bundles.length} functions, each with its own identity`)
  return deployed
}

interface With {
  readonly deploying: Deploying
  readonly azure: Azure
}

/** Makes the keys of the home and begins the registry with the institutions of this folder, by the rights that the template gave. */
async function setUpHome(
  wanted: CloudDeployment,
  outputs: Outputs,
  { settings }: Examined,
  { deploying, azure }: With,
): Promise<CloudDeployment> {
  const found = await founding(wanted, required(outputs, 'origin'), deploying)
  const naming = {
    cosmosEndpoint: required(outputs, 'cosmosEndpoint'),
    database: required(outputs, 'database'),
    blobEndpoint: required(outputs, 'blobEndpoint'),
    vaultUrl: required(outputs, 'vaultUrl'),
    keys: keyNamingOf(settings.identities),
  }
  const home = await onceAllowed(deploying, () => found(azure.open(naming)))
  return { ...wanted, home }
}

/** Tries again while rights that were just given do not count yet, or a store that was just made is not found. */
async function onceAllowed<T>({ pause, say }: Deploying, act: () => Promise<T>): Promise<T> {
  for (let waited = 0; ; waited += AGAIN_MS) {
    try {
      return await act()
    } catch (error) {
      const [isDenied, isAway] = [wasDenied(error), isAmpereError(error, ...UNAVAILABLE)]
      if (waited >= (isDenied ? RIGHTS_MS : isAway ? FOUND_MS : 0)) throw error
      if (waited === 0 && isDenied)
        say('        The rights to set up do not count yet: waiting, minutes at most')
      await pause(AGAIN_MS)
    }
  }
}

const UNAVAILABLE = ['STORE_UNAVAILABLE', 'KEY_UNAVAILABLE'] as const

/** What the adapters say of 403 (adapters/azure/errors.ts). */
function wasDenied(error: unknown): boolean {
  return (
    isAmpereError(error, 'CONFIGURATION', 'KEY_UNAVAILABLE') &&
    error.cause instanceof Error &&
    error.cause.message.startsWith('HTTP 403')
  )
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
  const { otlpEndpoint } = examined.settings
  const config = configText(deployed, folder, { backupDays: BACKUP_DAYS, otlpEndpoint })
  for (const role of inOrder(built.bundles.map((bundle) => bundle.role))) {
    await send(required(outputs, `${role}App`), packageOf(packageFiles(built.folder, role, config)))
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

function required(outputs: Outputs, name: string): string {
  const value = outputs[name]
  if (value !== undefined && value !== '') return value
  throw failure(`the deployment does not say ${name}`, 'run this again with this version of Ampere')
}

function largest({ bundles }: Built): number {
  return Math.max(...bundles.map(({ bytes }) => bytes))
}
