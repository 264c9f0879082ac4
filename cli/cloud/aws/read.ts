// SPDX-License-Identifier: Apache-2.0
import { openAws } from '#adapters/aws/open.ts'
import type { Platform } from '#core/ports/needs.ts'
import { settingsOf } from '#infra/aws/settings.ts'
import { takeOn } from '#infra/deploy/aws/account.ts'
import { BACKUP } from '#infra/permissions/identities.ts'
import type { CloudDeployment } from '../cloud-folder.ts'
import { accountOf } from './account.ts'
import { bucketsOf } from './stores.ts'

/**
 * What a backup reads of a home on AWS, by the role that may do that alone. Whoever asks needs no more than to take that role on:
 * all names follow from the stage and the account.
 * @throws DeployFailure
 */
export async function readAws(known: CloudDeployment): Promise<Platform> {
  const { stage, region, parameters } = known
  const { account, arn } = await accountOf(known)
  const { prefix } = settingsOf(stage, parameters)
  const role = backupRoleArn(arn, account, prefix)
  // They end within the hour, and a home may take longer to read.
  const credentials = () => takeOn(role, region, 'ampere-backup')
  const buckets = bucketsOf([BACKUP], { prefix, account, region })
  return openAws({ region, naming: { prefix, buckets, keys: { kms: {} } }, credentials })
}

/** @param caller the ARN of whoever asks, which says the partition */
export function backupRoleArn(caller: string, account: string, prefix: string): string {
  const [, partition = 'aws'] = caller.split(':')
  return `arn:${partition}:iam::${account}:role/${prefix}-${BACKUP.name}`
}
