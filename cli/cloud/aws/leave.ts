// SPDX-License-Identifier: Apache-2.0
import { removeFunctions } from '#infra/deploy/aws/functions.ts'
import { withStacks } from '#infra/deploy/aws/stacks.ts'
import type { CloudDeployment } from '../cloud-folder.ts'
import type { Deploying, Leaving } from '../cloud.ts'
import { accountOf } from './account.ts'
import { stackOf } from './stack-of.ts'
import { applyStores, openMoving } from './stores.ts'

/** Lets whoever migrates empty a home on AWS, by a role that is taken away again. @throws DeployFailure */
export async function leaveAws(known: CloudDeployment, deploying: Deploying): Promise<Leaving> {
  const { account } = await accountOf(known)
  const { stage, region, parameters } = known
  const stores = await applyStores(known, deploying, 'leaves')
  return {
    open: () => openMoving(known, stores, account, 'leaves'),
    stop: async () => {
      const find = stackOf(known, 'functions')
      const runs = await withStacks(region, deploying.pause, (stacks) => stacks.find(find))
      if (runs) await removeFunctions({ stage, region, parameters })
    },
    end: async () => void (await applyStores(known, deploying)),
  }
}
