// SPDX-License-Identifier: Apache-2.0
import type { CloudDeployment } from '../cloud-folder.ts'
import type { Deploying, Receiving } from '../cloud.ts'
import { makeHomeKeys } from '../founding/home-keys.ts'
import type { Azure } from './azure.ts'
import { applyStores, begin, onceAllowed, openStores, reachAll, required } from './stores.ts'

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
  const keys = await onceAllowed(deploying, async () => {
    const platform = open()
    try {
      const made = await makeHomeKeys(platform, origin)
      // What signs heads is made with a registry otherwise.
      await platform.signer('head')
      return made
    } finally {
      await platform.close()
    }
  })
  await onceAllowed(deploying, () => reachAll(open(), 'receives'))
  return { deployment: begun.wanted, origin, keys, open }
}
