// SPDX-License-Identifier: Apache-2.0
import { removeAssignments, removeRunning } from '#infra/deploy/azure/removal.ts'
import type { CloudDeployment } from '../cloud-folder.ts'
import type { Deploying, Leaving } from '../cloud.ts'
import type { Azure } from './azure.ts'
import { applyStores, begin, idsIn, onceAllowed, openStores, reachAll } from './stores.ts'

/** Lets whoever migrates empty a home on Azure, by assignments that are taken back. @throws DeployFailure */
export async function leaveAzure(
  known: CloudDeployment,
  deploying: Deploying,
  azure: Azure,
): Promise<Leaving> {
  const begun = await begin(known, deploying, azure, 'leaves')
  const outputs = await applyStores(begun, deploying)
  const { arm, place } = begun.examined
  const open = () => openStores(outputs, begun.examined, azure)
  await onceAllowed(deploying, () => reachAll(open(), 'leaves'))
  return {
    open,
    stop: () => removeRunning(arm, place, azure.connection),
    end: () => removeAssignments(arm, idsIn(outputs), azure.connection),
  }
}
