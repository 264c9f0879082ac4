// SPDX-License-Identifier: Apache-2.0
import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  ListStackResourcesCommand,
  UpdateStackCommand,
  UpdateTerminationProtectionCommand,
} from '@aws-sdk/client-cloudformation'
import { failure } from '../failure.ts'
import { failureOf } from './failure.ts'

/** A stack as CloudFormation has it. */
export interface Stack {
  readonly status: string
  readonly outputs: Readonly<Record<string, string>>
}

/** Stacks of a region. Every method throws a DeployFailure. */
export interface Stacks {
  /** Null where there is none. */
  readonly find: (name: string) => Promise<Stack | null>
  /** Makes a stack what its template says, and waits until it is; one that is so already stays. */
  readonly apply: (name: string, template: object) => Promise<Stack>
  /** Removes a stack, and waits until it is gone; what its template retains stays. */
  readonly remove: (name: string) => Promise<void>
  /** Names of the resources of one type that a stack has. */
  readonly named: (name: string, type: string) => Promise<readonly string[]>
  /** Takes off what keeps a stack from being removed. */
  readonly unprotect: (name: string) => Promise<void>
  readonly close: () => void
}

/** Between two looks at a stack that changes, in milliseconds. */
const LOOK_MS = 2000
const CAPABILITIES: 'CAPABILITY_NAMED_IAM'[] = ['CAPABILITY_NAMED_IAM']

/** Opens stacks for an act, and closes them after it. @param pause waits so many milliseconds */
export async function withStacks<T>(
  region: string,
  pause: (ms: number) => Promise<void>,
  act: (stacks: Stacks) => Promise<T>,
): Promise<T> {
  const stacks = openStacks(region, pause)
  return act(stacks).finally(stacks.close)
}

function openStacks(region: string, pause: (ms: number) => Promise<void>): Stacks {
  const client = new CloudFormationClient({ region, maxAttempts: 5 })
  const find = (name: string) => failing(() => findStack(client, name))
  return {
    find,
    apply: (name, template) =>
      failing(async () => {
        // Another run of this, or one that was interrupted: its template may be another one.
        await begin(client, await ended(client, name, pause), name, JSON.stringify(template))
        const stack = await ended(client, name, pause)
        if (!stack) throw failure(`the stack ${name} is gone while it was made`, 'run this again')
        if (/^(CREATE|UPDATE)_COMPLETE$/.test(stack.status)) return stack
        throw await reasonOf(client, name, stack.status)
      }),
    remove: (name) =>
      failing(async () => {
        await client.send(new DeleteStackCommand({ StackName: name }))
        for (let stack = await findStack(client, name); stack; stack = await findStack(client, name)) {
          if (stack.status === 'DELETE_COMPLETE') return
          if (stack.status === 'DELETE_FAILED') throw await reasonOf(client, name, stack.status)
          await pause(LOOK_MS)
        }
      }),
    named: (name, type) => failing(() => namesOf(client, name, type)),
    unprotect: (name) => failing(() => protect(client, name, false)),
    close: () => client.destroy(),
  }
}

async function protect(client: CloudFormationClient, name: string, isProtected: boolean): Promise<void> {
  await client.send(
    new UpdateTerminationProtectionCommand({ StackName: name, EnableTerminationProtection: isProtected }),
  )
}

async function failing<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw failureOf(error)
  }
}

async function findStack(client: CloudFormationClient, name: string): Promise<Stack | null> {
  try {
    const { Stacks: [stack] = [] } = await client.send(new DescribeStacksCommand({ StackName: name }))
    if (!stack || stack.StackStatus === 'DELETE_COMPLETE') return null
    const outputs = (stack.Outputs ?? []).map(({ OutputKey, OutputValue }) => [
      OutputKey ?? '',
      OutputValue ?? '',
    ])
    return { status: stack.StackStatus ?? '', outputs: Object.fromEntries(outputs) as Record<string, string> }
  } catch (error) {
    if (/does not exist/.test((error as Error).message)) return null
    throw error
  }
}

async function namesOf(client: CloudFormationClient, name: string, type: string): Promise<readonly string[]> {
  const names: string[] = []
  let next: string | undefined
  do {
    const page = await client.send(
      new ListStackResourcesCommand({ StackName: name, ...(next && { NextToken: next }) }),
    )
    for (const { ResourceType, PhysicalResourceId } of page.StackResourceSummaries ?? [])
      if (ResourceType === type && PhysicalResourceId !== undefined) names.push(PhysicalResourceId)
    next = page.NextToken
  } while (next !== undefined)
  return names
}

/** Half-made stacks are named: only a person should remove what may hold something. */
async function begin(
  client: CloudFormationClient,
  stack: Stack | null,
  name: string,
  template: string,
): Promise<void> {
  if (!stack) {
    await client.send(
      new CreateStackCommand({
        StackName: name,
        TemplateBody: template,
        Capabilities: CAPABILITIES,
        EnableTerminationProtection: true,
      }),
    )
    return
  }
  if (/^(ROLLBACK_COMPLETE|ROLLBACK_FAILED|CREATE_FAILED|DELETE_FAILED)$/.test(stack.status))
    throw failure(
      `the stack ${name} was made by half (${stack.status})`,
      `remove it, then run this again: aws cloudformation delete-stack --stack-name ${name}`,
    )
  // One that was to be erased, and was not, is protected again.
  await protect(client, name, true)
  try {
    await client.send(
      new UpdateStackCommand({ StackName: name, TemplateBody: template, Capabilities: CAPABILITIES }),
    )
  } catch (error) {
    if (!/No updates are to be performed/.test((error as Error).message)) throw error
  }
}

/** A stack at which nobody works, or null where there is none. */
async function ended(
  client: CloudFormationClient,
  name: string,
  pause: (ms: number) => Promise<void>,
): Promise<Stack | null> {
  for (;;) {
    const stack = await findStack(client, name)
    if (!stack?.status.endsWith('_IN_PROGRESS')) return stack
    await pause(LOOK_MS)
  }
}

/** The first resource that failed says why. */
async function reasonOf(client: CloudFormationClient, name: string, status: string) {
  const { StackEvents: events = [] } = await client.send(new DescribeStackEventsCommand({ StackName: name }))
  const first = events.toReversed().find(({ ResourceStatus }) => ResourceStatus?.endsWith('_FAILED'))
  const why = first ? `${first.LogicalResourceId}: ${first.ResourceStatusReason}` : status
  return failure(`the stack ${name} could not be made: ${why}`, 'put that right, then run this again')
}
