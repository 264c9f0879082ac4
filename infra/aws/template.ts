// SPDX-License-Identifier: Apache-2.0
import { alarms } from './alarms.ts'
import { deadLetters, functions } from './functions.ts'
import { keys } from './keys.ts'
import { arnOf, type Resources } from './references.ts'
import { roles } from './roles.ts'
import { buckets, tables } from './stores.ts'
import { settingsOf, type AwsSettings, type Parameters } from './settings.ts'

/** Requests per second, and at once, that an API lets through: a bound on what strangers can cost. */
const REQUESTS_PER_SECOND = 500
const BURST = 1000

export { PARAMETERS } from './settings.ts'

/** What serverless.yml includes. @throws AmpereError CONFIGURATION */
export function templateOf(
  stage: string,
  parameters: Parameters,
): { readonly functions: object; readonly resources: object } {
  const settings = settingsOf(stage, parameters)
  return { functions: functions(settings), resources: resources(settings) }
}

function resources(settings: AwsSettings): object {
  const made: Resources = {
    ...keys(settings),
    ...tables(settings),
    ...buckets(settings),
    ...roles(settings),
    ...deadLetters(settings),
    ...alarms(settings),
  }
  const throttle = { ThrottlingRateLimit: REQUESTS_PER_SECOND, ThrottlingBurstLimit: BURST }
  return {
    Resources: made,
    Outputs: outputs(made),
    extensions: { HttpApiStage: { Properties: { DefaultRouteSettings: throttle } } },
  }
}

/** What whoever sets the deployment up has to know: the role to take on, and each key. */
function outputs(made: Resources): object {
  const told = Object.keys(made).filter((id) => id === 'SetupRole' || made[id]?.Type === 'AWS::KMS::Key')
  return Object.fromEntries(told.map((id) => [`${id}Arn`, { Value: arnOf(id) }]))
}
