// SPDX-License-Identifier: Apache-2.0
import { stackName, type Stack } from '#infra/aws/references.ts'
import { settingsOf } from '#infra/aws/settings.ts'
import type { CloudDeployment } from '../cloud-folder.ts'

/** The name of one of a deployment's two stacks. */
export function stackOf(
  { stage, parameters }: Pick<CloudDeployment, 'stage' | 'parameters'>,
  kind: Stack,
): string {
  return stackName(settingsOf(stage, parameters).prefix, kind)
}
