// SPDX-License-Identifier: Apache-2.0
import { alarms } from './alarms.ts'
import { deadLetters, functions } from './functions.ts'
import { keys } from './keys.ts'
import { arnOf, exportName, RETAINED, type Resources } from './references.ts'
import { operatorRoles, roles } from './roles.ts'
import { buckets, tables } from './stores.ts'
import type { Moves } from '#infra/permissions/identities.ts'
import { settingsOf, type AwsSettings, type Parameters } from './settings.ts'

/** Requests per second, and at once, that an API lets through: a bound on what strangers can cost. */
const REQUESTS_PER_SECOND = 500
const BURST = 1000

export { PARAMETERS } from './settings.ts'

/** What serverless.yml includes: what runs. @throws AmpereError CONFIGURATION */
export function templateOf(
  stage: string,
  parameters: Partial<Parameters>,
): { readonly functions: object; readonly resources: object } {
  const settings = settingsOf(stage, parameters)
  const Resources: Resources = { ...roles(settings), ...deadLetters(settings), ...alarms(settings) }
  return { functions: functions(settings), resources: { Resources } }
}

/**
 * The template of what a deployment keeps.
 * @param moves what is done with its home, while that moves
 * @throws AmpereError CONFIGURATION
 */
export function storesTemplateOf(
  stage: string,
  parameters: Partial<Parameters>,
  moves: Moves | null = null,
): StoresTemplate {
  const settings = settingsOf(stage, parameters, moves)
  const Resources: Resources = {
    ...keys(settings),
    ...tables(settings),
    ...buckets(settings),
    ...operatorRoles(settings),
    ...address(settings),
  }
  return {
    AWSTemplateFormatVersion: '2010-09-09',
    Description: `${settings.prefix}: what a deployment of Ampere keeps`,
    Resources,
    Outputs: outputs(settings, Resources),
  }
}

export interface StoresTemplate {
  readonly AWSTemplateFormatVersion: '2010-09-09'
  readonly Description: string
  readonly Resources: Resources
  readonly Outputs: Readonly<Record<string, object>>
}

/** Where a deployment is reached: kept, because all that is signed names it. Functions add their routes. */
function address({ prefix }: AwsSettings): Resources {
  const throttle = { ThrottlingRateLimit: REQUESTS_PER_SECOND, ThrottlingBurstLimit: BURST }
  return {
    HttpApi: {
      Type: 'AWS::ApiGatewayV2::Api',
      ...RETAINED,
      Properties: { Name: prefix, ProtocolType: 'HTTP' },
    },
    HttpApiStage: {
      Type: 'AWS::ApiGatewayV2::Stage',
      ...RETAINED,
      Properties: {
        ApiId: { Ref: 'HttpApi' },
        StageName: '$default',
        AutoDeploy: true,
        DefaultRouteSettings: throttle,
      },
    },
  }
}

/** What the other stack, and whoever sets the deployment up, has to know. */
function outputs({ prefix }: AwsSettings, made: Resources): Readonly<Record<string, object>> {
  const told = Object.entries(made).flatMap(([id, { Type, Properties }]): [string, string, unknown][] => {
    if (Type === 'AWS::KMS::Key' || Type === 'AWS::IAM::Role') return [[id, 'Arn', arnOf(id)]]
    if (Type === 'AWS::ApiGatewayV2::Api') return [[id, 'Id', { Ref: id }]]
    if (Type !== 'AWS::DynamoDB::Table' || !('StreamSpecification' in Properties)) return []
    return [[id, 'StreamArn', { 'Fn::GetAtt': [id, 'StreamArn'] }]]
  })
  const exported = told.map(([id, attribute, Value]) => [
    `${id}${attribute}`,
    { Value, Export: { Name: exportName(prefix, id, attribute) } },
  ])
  const url = { 'Fn::GetAtt': ['HttpApi', 'ApiEndpoint'] }
  return { ...Object.fromEntries(exported), HttpApiUrl: { Value: url } }
}
