// SPDX-License-Identifier: Apache-2.0
import { awsNames, type AwsNames } from '#infra/permissions/aws/names.ts'

/** A resource of a CloudFormation template. */
export interface Resource {
  readonly Type: string
  readonly DeletionPolicy?: 'Retain'
  readonly UpdateReplacePolicy?: 'Retain'
  readonly DependsOn?: string
  readonly Properties: Readonly<Record<string, unknown>>
}
export type Resources = Readonly<Record<string, Resource>>

/** Kept when the stack is deleted, and when it would be replaced: what holds records and their keys. */
export const RETAINED = { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' } as const

/** The logical id of what a name stands for: `mirror-keys`, `Table` -> `MirrorKeysTable`. */
export function logicalId(name: string, kind: string): string {
  return name.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase()) + kind
}

/** The names of a deployment where CloudFormation fills in what only the provider knows. */
export function referencesOf(prefix: string): AwsNames {
  return awsNames({
    prefix,
    partition: '${AWS::Partition}',
    region: '${AWS::Region}',
    account: '${AWS::AccountId}',
    dataKey: '${DataKey.Arn}',
    wrappingKey: '${WrappingKey.Arn}',
    signingKey: (name) => `\${${logicalId(name, 'Key')}.Arn}`,
    stream: (name) => `\${${logicalId(name, 'Table')}.StreamArn}`,
  })
}

/** The same value with each text that has a reference as one that CloudFormation fills in. */
export function filledIn(value: unknown): unknown {
  if (typeof value === 'string') return value.includes('${') ? { 'Fn::Sub': value } : value
  if (Array.isArray(value)) return value.map(filledIn)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, filledIn(one)]))
}

export function arnOf(id: string): unknown {
  return { 'Fn::GetAtt': [id, 'Arn'] }
}
