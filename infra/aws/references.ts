// SPDX-License-Identifier: Apache-2.0
import { awsNames, type AwsNames } from '#infra/permissions/aws/names.ts'

/** A resource of a CloudFormation template. */
export interface Resource {
  readonly Type: string
  readonly DeletionPolicy?: 'Retain' | 'Delete'
  readonly UpdateReplacePolicy?: 'Retain' | 'Delete'
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

/**
 * A deployment is two stacks: what it keeps (tables, buckets, keys, the address under which it is reached), and what runs (functions
 * and their roles), which may be removed and made again.
 */
export type Stack = 'stores' | 'functions'

/** Names of both stacks; the second is the one of osls, SERVICE-STAGE. */
export function stackName(prefix: string, stack: Stack): string {
  return stack === 'functions' ? prefix : `${prefix}-stores`
}

/** Under which name an attribute of a resource of the stores is known to the other stack. */
export function exportName(prefix: string, id: string, attribute: string): string {
  return `${prefix}-${id}-${attribute}`
}

/** The names of a deployment where CloudFormation fills in what only the provider knows. */
export function referencesOf(prefix: string, stack: Stack): AwsNames {
  const of = (id: string, attribute: string) =>
    stack === 'stores' ? `\${${id}.${attribute}}` : `\${Import:${exportName(prefix, id, attribute)}}`
  return awsNames({
    prefix,
    partition: '${AWS::Partition}',
    region: '${AWS::Region}',
    account: '${AWS::AccountId}',
    dataKey: of('DataKey', 'Arn'),
    wrappingKey: of('WrappingKey', 'Arn'),
    signingKey: (name) => of(logicalId(name, 'Key'), 'Arn'),
    stream: (name) => of(logicalId(name, 'Table'), 'StreamArn'),
  })
}

const IMPORT = /\$\{Import:([A-Za-z0-9-]+)\}/g

/** The same value with each text that has a reference as one that CloudFormation fills in. */
export function filledIn(value: unknown): unknown {
  if (typeof value === 'string') return filledInText(value)
  if (Array.isArray(value)) return value.map(filledIn)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, filledIn(one)]))
}

function filledInText(text: string): unknown {
  if (!text.includes('${')) return text
  const imports: Record<string, object> = {}
  const named = text.replaceAll(IMPORT, (_, name: string) => {
    const variable = name.replaceAll('-', '')
    imports[variable] = { 'Fn::ImportValue': name }
    return `\${${variable}}`
  })
  const [only, ...others] = Object.entries(imports)
  if (only && others.length === 0 && named === `\${${only[0]}}`) return only[1]
  return { 'Fn::Sub': only ? [named, imports] : named }
}

export function arnOf(id: string): unknown {
  return { 'Fn::GetAtt': [id, 'Arn'] }
}
