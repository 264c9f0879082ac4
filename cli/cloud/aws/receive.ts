// SPDX-License-Identifier: Apache-2.0
import type { Deploying, Receiving } from '../cloud.ts'
import { readCloudDeployment, writeCloudDeployment, type CloudDeployment } from '../cloud-folder.ts'
import { makeHomeKeys } from '../founding/home-keys.ts'
import { accountOf } from './account.ts'
import { checkNew } from './deploy.ts'
import { applyStores, openMoving, openSettingUp, originOf } from './stores.ts'

/**
 * Makes what a home on AWS keeps, and its keys, without a registry: whoever migrates fills it, by a role that the next deployment
 * takes away again. Nothing runs.
 * @throws DeployFailure
 */
export async function receiveAws(asked: CloudDeployment, deploying: Deploying): Promise<Receiving> {
  const { account } = await accountOf(asked)
  if (!readCloudDeployment(deploying.folder)) await checkNew(asked, deploying)
  const deployment = { ...asked, account }
  // Before anything is made: whoever runs this again means the same account.
  writeCloudDeployment(deploying.folder, deployment)
  const stores = await applyStores(deployment, deploying, 'receives')
  const origin = originOf(stores)
  const platform = openSettingUp(deployment, stores, account)
  try {
    const keys = await makeHomeKeys(platform, origin)
    // What signs heads is made with a registry otherwise.
    await platform.signer('head')
    return { deployment, origin, keys, open: () => openMoving(deployment, stores, account, 'receives') }
  } finally {
    await platform.close()
  }
}
