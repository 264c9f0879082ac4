// SPDX-License-Identifier: Apache-2.0
import { whoAmI, type Account } from '#infra/deploy/aws/account.ts'
import { failure } from '#infra/deploy/failure.ts'
import type { CloudDeployment } from '../cloud-folder.ts'

/**
 * Whose account this is, which is that of the deployment: stacks are named alike in every account.
 * @throws DeployFailure also for another account than the one in which it was deployed
 */
export async function accountOf({ account: known, region }: CloudDeployment): Promise<Account> {
  const here = await whoAmI(region)
  if (known === undefined || known === here.account) return here
  throw failure(
    `these credentials are for the account ${here.account}, and the deployment is in ${known}`,
    'choose the profile of that account: AWS_PROFILE',
  )
}
