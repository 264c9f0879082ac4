// SPDX-License-Identifier: Apache-2.0
import { factsOf } from '#infra/aws/facts.ts'
import { DEFAULTS, settingsOf } from '#infra/aws/settings.ts'
import { storesTemplateOf, templateOf } from '#infra/aws/template.ts'
import type { Plan } from '../cloud.ts'
import type { CloudDeployment } from '../cloud-folder.ts'
import { planOf } from '../plan.ts'

/** @throws AmpereError CONFIGURATION for parameters that are wrong */
export function planAws(wanted: CloudDeployment): Plan {
  const { stage, parameters } = wanted
  const given = { ...DEFAULTS, ...parameters }
  const { prefix } = settingsOf(stage, given)
  const stores = storesTemplateOf(stage, given)
  const runs = templateOf(stage, given)
  const made = (runs.resources as { readonly Resources: Record<string, { Type: string }> }).Resources
  return planOf(wanted, {
    prefix,
    types: [...Object.values(stores.Resources), ...Object.values(made)].map(({ Type }) => Type),
    functions: Object.keys(runs.functions),
    own: 'role',
    keeps: (count) =>
      `${count('AWS::DynamoDB::Table')} tables, ${count('AWS::S3::Bucket')} buckets, ${count('AWS::KMS::Key')} keys`,
    alarms: ['AWS::CloudWatch::Alarm'],
    alarmEmail: given.alarmEmail,
    facts: factsOf(stores, runs),
  })
}
