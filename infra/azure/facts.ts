// SPDX-License-Identifier: Apache-2.0
import type { TemplateFacts } from '#infra/prices/idle-cost.ts'
import { filledIn, namesOf, SITES, VAULTS } from './references.ts'
import type { AzureTemplate } from './template.ts'

/** How often each role's own timer calls it, in an hour (functions/ROLE/azure.ts, where a timer is registered and not in the template). */
export const CALLS_PER_HOUR: Readonly<Record<string, number>> = {
  sequencer: 60,
  worker: 12,
  // Each minute where the registry is elsewhere.
  follower: 1,
  // Each minute where logs are watched, and mirrors each five where homes are: then somebody uses it.
  monitor: 1,
  auditor: 1,
  eraser: 1,
  sweeper: 1,
  mirror: 1,
  checker: 60,
}
/** Between two looks at a change feed, in milliseconds: that of `dirty`, for the sequencer, and that of `jobs`, for the eraser. */
export const POLLED_MS: readonly number[] = [1000, 10_000]

const RULES = 'Microsoft.Insights/scheduledQueryRules'

interface Site {
  readonly functionAppConfig: { readonly scaleAndConcurrency: { readonly instanceMemoryMB: number } }
}

/** What of a deployment's template costs money while nobody uses it. */
export function factsOf(stage: string, { resources }: AzureTemplate): TemplateFacts {
  const { app } = namesOf(`ampere-${stage}`)
  const of = (type: string) => resources.filter((resource) => resource.type === type)
  const sites = of(SITES)
  return {
    scheduled: Object.entries(CALLS_PER_HOUR).flatMap(([role, callsPerHour]) => {
      const site = sites.find(({ name }) => name === filledIn(app(role)))
      if (!site) return []
      const { scaleAndConcurrency } = (site['properties'] as Site).functionAppConfig
      return [{ role, memoryMb: scaleAndConcurrency.instanceMemoryMB, callsPerHour }]
    }),
    alarms: of('Microsoft.Insights/metricAlerts').length,
    queryAlarms: of(RULES).map(({ properties }) =>
      minutesOf(String((properties as Readonly<Record<string, unknown>>)['evaluationFrequency'])),
    ),
    querySeries: of(RULES).reduce((sum, rule) => sum + faultsOf(rule.properties) - 1, 0),
    metrics: 0,
    keys: of(`${VAULTS}/keys`).length,
    // Both are of a home.
    polledMs: sites.some(({ name }) => name === filledIn(app('sequencer'))) ? POLLED_MS : [],
  }
}

/** Faults of which a rule tells each by itself. */
function faultsOf(properties: unknown): number {
  const { criteria } = properties as {
    readonly criteria: {
      readonly allOf: readonly { readonly dimensions: readonly { readonly values: readonly string[] }[] }[]
    }
  }
  return criteria.allOf[0]?.dimensions[0]?.values.length ?? 1
}

/** `PT15M` -> 15. */
function minutesOf(duration: string): number {
  const [, minutes] = /^PT(\d+)M$/.exec(duration) ?? []
  if (minutes === undefined) throw new RangeError(`a duration that is not understood: ${duration}`)
  return Number(minutes)
}
