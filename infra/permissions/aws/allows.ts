// SPDX-License-Identifier: Apache-2.0
import type { Statement } from './policy.ts'

/** One act that a provider's service judges, as IAM sees it. */
export interface Call {
  /** For example `dynamodb`. */
  readonly service: string
  /** For example `dynamodb:PutItem`. */
  readonly operation: string
  /** ARN of the table, bucket, object (`BUCKET/KEY`), key, stream or log stream. */
  readonly resource: string
  /** The condition keys that the request has, by their whole names, for example `dynamodb:LeadingKeys`. */
  readonly context?: Readonly<Record<string, readonly string[]>>
}

/** A permission that cannot be made smaller: one action on one resource, under one value of what its condition asks. */
export interface Permission {
  readonly sid: string
  readonly action: string
  readonly resource: string
  readonly when: string
}

/** True where a statement of the policy allows the call. */
export function allows(policy: readonly Statement[], call: Call): boolean {
  if (!call.operation.startsWith(`${call.service}:`)) {
    throw new RangeError(`a call of ${call.service} has an operation of another service`)
  }
  return policy.some((statement) => statementAllows(statement, call))
}

/** The permissions that none of the calls used, each by itself, in the order of the policy. */
export function unexercised(policy: readonly Statement[], calls: readonly Call[]): readonly Permission[] {
  return policy
    .flatMap(smallest)
    .filter((one) => !calls.some((call) => statementAllows(one.statement, call)))
    .map(({ permission }) => permission)
}

function statementAllows(statement: Statement, call: Call): boolean {
  return (
    statement.Action.includes(call.operation) &&
    statement.Resource.some((resource) => matches(resource, call.resource)) &&
    Object.entries(statement.Condition ?? {}).every(([operator, keys]) =>
      Object.entries(keys).every(([key, values]) => holds(operator, [values].flat(), call.context?.[key])),
    )
  )
}

/** `*` only ends a resource: everything below one bucket or one log group. */
function matches(resource: string, asked: string): boolean {
  if (!resource.endsWith('*')) return resource === asked
  return asked.startsWith(resource.slice(0, -1)) && asked.length >= resource.length
}

/**
 * IAM User Guide, "condition operators" and "multivalued context keys". An operator that is not known here is an error:
 * to pass over it would allow more than IAM does.
 */
function holds(operator: string, values: readonly string[], given: readonly string[] | undefined): boolean {
  switch (operator) {
    case 'StringEquals':
      return given !== undefined && given.length === 1 && given.every((value) => values.includes(value))
    case 'ForAllValues:StringEquals':
      return (given ?? []).every((value) => values.includes(value))
    case 'Null':
      return values.includes(String(given === undefined || given.length === 0))
    default:
      throw new RangeError(`condition operator ${operator} is not known here`)
  }
}

function smallest(
  statement: Statement,
): readonly { readonly statement: Statement; readonly permission: Permission }[] {
  return statement.Action.flatMap((action) =>
    statement.Resource.flatMap((resource) =>
      smallestConditions(statement.Condition).map((condition) => ({
        statement: {
          ...statement,
          Action: [action],
          Resource: [resource],
          ...(condition && { Condition: condition }),
        },
        permission: { sid: statement.Sid, action, resource, when: said(condition) },
      })),
    ),
  )
}

/** The condition once for each of the values that it lists. */
function smallestConditions(condition: Statement['Condition']): readonly Statement['Condition'][] {
  if (!condition) return [undefined]
  for (const [operator, keys] of Object.entries(condition)) {
    for (const [key, values] of Object.entries(keys)) {
      if (typeof values === 'string') continue
      return values.map((value) => ({ ...condition, [operator]: { ...keys, [key]: value } }))
    }
  }
  return [condition]
}

function said(condition: Statement['Condition']): string {
  return Object.values(condition ?? {})
    .flatMap((keys) => Object.entries(keys))
    .filter(([, value]) => value !== 'false')
    .map(([key, value]) => `${key} = ${[value].flat().join(', ')}`)
    .join('; ')
}
