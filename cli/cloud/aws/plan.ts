// SPDX-License-Identifier: Apache-2.0
import { factsOf } from '#infra/aws/facts.ts'
import { DEFAULTS, settingsOf } from '#infra/aws/settings.ts'
import { storesTemplateOf, templateOf } from '#infra/aws/template.ts'
import { idleCost, idleCostLines } from '#infra/prices/idle-cost.ts'
import type { Plan } from '../cloud.ts'
import type { CloudDeployment } from '../cloud-folder.ts'

/** @throws AmpereError CONFIGURATION for parameters that are wrong */
export function planAws({ stage, region, parameters }: CloudDeployment): Plan {
  const given = { ...DEFAULTS, ...parameters }
  const { prefix } = settingsOf(stage, given)
  const stores = storesTemplateOf(stage, given)
  const runs = templateOf(stage, given)
  const made = Object.values(
    (runs.resources as { readonly Resources: Record<string, { Type: string }> }).Resources,
  )
  const resources: Record<string, number> = {}
  for (const { Type } of [...Object.values(stores.Resources), ...made])
    resources[Type] = (resources[Type] ?? 0) + 1
  const functions = Object.keys(runs.functions)
  const count = (type: string) => resources[type] ?? 0
  const idle = idleCost('aws', factsOf(stores, runs))
  return {
    stage,
    region,
    resources,
    functions,
    idle,
    lines: [
      `Plan for ${prefix} in ${region}:`,
      `  keeps   ${count('AWS::DynamoDB::Table')} tables, ${count('AWS::S3::Bucket')} buckets, ${count('AWS::KMS::Key')} keys, one address`,
      `  runs    ${functions.length} functions, each with its own role (${functions.join(', ')})`,
      `  watches ${count('AWS::CloudWatch::Alarm')} alarms${given.alarmEmail === '' ? ', which tell nobody: --param alarmEmail=ADDRESS' : ''}`,
      ...idleCostLines(idle),
    ],
  }
}
