// SPDX-License-Identifier: Apache-2.0
import { isAmpereError } from '#core/errors.ts'
import type { ObjectsName, Platform, TableName } from '#core/ports/needs.ts'
import { keyNamingOf } from '#infra/azure/keys.ts'
import { applyTemplate, formerOutputs, makeGroup, type Outputs } from '#infra/deploy/azure/deployments.ts'
import { removeAssignments } from '#infra/deploy/azure/removal.ts'
import { failure } from '#infra/deploy/failure.ts'
import { moverOf, type Moves } from '#infra/permissions/identities.ts'
import type { Deploying } from '../cloud.ts'
import { readCloudDeployment, writeCloudDeployment, type CloudDeployment } from '../cloud-folder.ts'
import type { Azure } from './azure.ts'
import { changesOf, examine, type Examined } from './doctor.ts'
import { summaryOf } from './plan.ts'

/** New rights count after minutes, and new names are found after seconds. Between two tries, and for how long at most, in milliseconds. */
const AGAIN_MS = 10_000
const RIGHTS_MS = 900_000
const FOUND_MS = 60_000

/** A deployment that may be begun: nothing is in the way, and it is remembered which subscription it is in. */
export interface Begun {
  readonly examined: Examined
  readonly wanted: CloudDeployment
}

/** @param moves what is to be done with its home, while that moves @throws DeployFailure */
export async function begin(
  asked: CloudDeployment,
  { folder }: Pick<Deploying, 'folder'>,
  azure: Azure,
  moves: Moves | null = null,
): Promise<Begun> {
  const examined = await examine(asked, azure, moves)
  const { place, former } = examined
  if (former && !readCloudDeployment(folder))
    throw failure(
      `${place.group} was deployed already, and this data folder knows nothing of it: nothing was changed`,
      'give --data FOLDER, the one from which it was deployed, or another --stage',
    )
  const wanted = { ...asked, subscription: place.subscription }
  // Before anything is made: whoever runs this again means the same subscription.
  writeCloudDeployment(folder, wanted)
  return { examined, wanted }
}

/** Makes the resource group what its template says. What the former deployment gave to whoever migrated is taken back first. */
export async function applyStores(
  { examined }: Begun,
  { pause, say }: Pick<Deploying, 'pause' | 'say'>,
): Promise<Outputs> {
  const { arm, place, template } = examined
  await makeGroup(arm, place)
  const changes = examined.changes ?? (await changesOf(examined))
  say(`        Resources: ${summaryOf(changes)}`)
  const former = await formerOutputs(arm, place)
  await removeAssignments(arm, [...idsIn(former), ...backupIdsIn(former, examined)], { pause })
  return applyTemplate(arm, place, template, { pause, say })
}

/** The stores and keys, with the rights that whoever deploys was given. @throws DeployFailure */
export function openStores(
  outputs: Outputs,
  { settings }: Pick<Examined, 'settings'>,
  azure: Azure,
): Platform {
  return azure.open({ ...keptIn(outputs), keys: keyNamingOf(settings.identities) })
}

/** Where what a deployment keeps is. @throws DeployFailure */
export function keptIn(outputs: Outputs): NonNullable<CloudDeployment['kept']> {
  return {
    cosmosEndpoint: required(outputs, 'cosmosEndpoint'),
    database: required(outputs, 'database'),
    blobEndpoint: required(outputs, 'blobEndpoint'),
    vaultUrl: required(outputs, 'vaultUrl'),
  }
}

/** Ids of what it assigned to whoever backed the home up, where that is another now, or nobody. */
function backupIdsIn(
  { backupPrincipal = '', backedUpBy = '' }: Outputs,
  { settings }: Pick<Examined, 'settings'>,
): readonly string[] {
  if (backupPrincipal === settings.backupPrincipal) return []
  return backedUpBy.split(' ').filter((id) => id !== '')
}

/** Ids of what a deployment assigned to whoever migrates. */
export function idsIn({ movedBy = '' }: Outputs): readonly string[] {
  return movedBy.split(' ').filter((id) => id !== '')
}

/** Asks every store that whoever migrates has for nothing, and closes them: until each answers, rights that were just given do not count. */
export async function reachAll(platform: Platform, moves: Moves): Promise<void> {
  const { tables, objects } = moverOf(moves).needs
  try {
    for (const name of Object.keys(tables) as TableName[])
      await platform.table(name).range('none', { limit: 1 })
    for (const name of Object.keys(objects) as ObjectsName[]) await platform.objects(name).fetch('none')
  } finally {
    await platform.close()
  }
}

/** What a deployment says of itself. @throws DeployFailure */
export function required(outputs: Outputs, name: string): string {
  const value = outputs[name]
  if (value !== undefined && value !== '') return value
  throw failure(`the deployment does not say ${name}`, 'run this again with this version of Ampere')
}

/** Tries again while rights that were just given do not count yet, or a store that was just made is not found. */
export async function onceAllowed<T>(
  { pause, say }: Pick<Deploying, 'pause' | 'say'>,
  act: () => Promise<T>,
): Promise<T> {
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
