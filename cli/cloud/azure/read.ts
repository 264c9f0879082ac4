// SPDX-License-Identifier: Apache-2.0
import type { Platform } from '#core/ports/needs.ts'
import { keyNamingOf } from '#infra/azure/keys.ts'
import { settingsOf } from '#infra/azure/settings.ts'
import { DEFAULTS } from '#infra/azure/template.ts'
import { failure } from '#infra/deploy/failure.ts'
import type { CloudDeployment } from '../cloud-folder.ts'
import type { Azure } from './azure.ts'

/**
 * What a backup reads of a home on Azure, by what the template assigns to the principal that `backupPrincipal` names. Nothing but
 * those stores is asked.
 * @throws DeployFailure where it names nobody, or the home was not deployed since
 */
export function readAzure({ stage, parameters, kept }: CloudDeployment, azure: Azure): Platform {
  const { backup, identities } = settingsOf(stage, { ...DEFAULTS, ...parameters })
  const deploy = `npx ampere deploy azure --stage ${stage}`
  if (!backup)
    throw failure(
      'nobody may read the stores of this home to back it up',
      `${deploy} --param backupPrincipal=OBJECT-ID (with --param backupKind=User for a person)`,
    )
  if (!kept) throw failure('this computer does not know where the stores of this home are', deploy)
  return azure.open({ ...kept, keys: keyNamingOf(identities) })
}
