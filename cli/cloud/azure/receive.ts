// SPDX-License-Identifier: Apache-2.0
import type { ObjectsName, Platform, TableName } from '#core/ports/needs.ts'
import { moverOf } from '#infra/permissions/identities.ts'
import type { CloudDeployment } from '../cloud-folder.ts'
import type { Deploying, Receiving } from '../cloud.ts'
import { makeHomeKeys } from '../founding/home-keys.ts'
import type { Azure } from './azure.ts'
import { applyStores, begin, onceAllowed, openStores, required } from './stores.ts'

/**
 * Makes what a home on Azure keeps, and its keys, without a registry: whoever migrates fills it, by assignments that the next
 * deployment takes back. Nothing is published.
 * @throws DeployFailure
 */
export async function receiveAzure(
  asked: CloudDeployment,
  deploying: Deploying,
  azure: Azure,
): Promise<Receiving> {
  const begun = await begin(asked, deploying, azure, 'receives')
  const outputs = await applyStores(begun, deploying)
  const origin = required(outputs, 'origin')
  const open = () => openStores(outputs, begun.examined, azure)
  const keys = await onceAllowed(deploying, () =>
    using(open(), async (platform) => {
      const made = await makeHomeKeys(platform, origin)
      // What signs heads is made with a registry otherwise.
      await platform.signer('head')
      await reachAll(platform)
      return made
    }),
  )
  return { deployment: begun.wanted, origin, keys, open }
}

/** Asks every store that is filled for nothing: until each answers, rights that were just given do not count. */
async function reachAll(platform: Platform): Promise<void> {
  const { tables, objects } = moverOf('receives').needs
  for (const name of Object.keys(tables) as TableName[])
    await platform.table(name).range('none', { limit: 1 })
  for (const name of Object.keys(objects) as ObjectsName[]) await platform.objects(name).fetch('none')
}

async function using<T>(platform: Platform, act: (platform: Platform) => Promise<T>): Promise<T> {
  try {
    return await act(platform)
  } finally {
    await platform.close()
  }
}
