// SPDX-License-Identifier: Apache-2.0
import { idleCost, idleCostLines, type TemplateFacts } from '#infra/prices/idle-cost.ts'
import type { CloudDeployment } from './cloud-folder.ts'
import type { Plan } from './cloud.ts'

/** What a provider's template says of a deployment. */
export interface Planned {
  readonly prefix: string
  /** The type of each resource. */
  readonly types: readonly string[]
  readonly functions: readonly string[]
  /** What each function has of its own: `role`. */
  readonly own: string
  /** What is kept, by how many there are of a type. */
  readonly keeps: (count: (type: string) => number) => string
  /** Types of alarms. */
  readonly alarms: readonly string[]
  /** Who is told of alarms; empty for nobody. */
  readonly alarmEmail: string | number
  readonly facts: TemplateFacts
}

/** The plan of a deployment, in the same words for every provider. */
export function planOf(
  { provider, stage, region }: CloudDeployment,
  { prefix, types, functions, own, keeps, alarms, alarmEmail, facts }: Planned,
): Plan {
  const resources: Record<string, number> = {}
  for (const type of types) resources[type] = (resources[type] ?? 0) + 1
  const count = (type: string) => resources[type] ?? 0
  const watched = alarms.reduce((sum, type) => sum + count(type), 0)
  const idle = idleCost(provider, facts)
  return {
    stage,
    region,
    resources,
    functions,
    idle,
    lines: [
      `Plan for ${prefix} in ${region}:`,
      `  keeps   ${keeps(count)}, one address`,
      `  runs    ${functions.length} functions, each with its own ${own} (${functions.join(', ')})`,
      `  watches ${watched} alarms${alarmEmail === '' ? ', which tell nobody: --param alarmEmail=ADDRESS' : ''}`,
      ...idleCostLines(idle),
    ],
  }
}
