// SPDX-License-Identifier: Apache-2.0
import type { TemplateFacts } from '#infra/prices/idle-cost.ts'
import type { Resource } from './references.ts'
import type { storesTemplateOf, templateOf } from './template.ts'

interface Function {
  readonly memorySize: number
  readonly events: readonly { readonly schedule?: { readonly rate: readonly string[] } }[]
}

/** What of a deployment's two templates costs money while nobody uses it. */
export function factsOf(
  stores: ReturnType<typeof storesTemplateOf>,
  runs: ReturnType<typeof templateOf>,
): TemplateFacts {
  const made = [
    ...Object.values(stores.Resources),
    ...Object.values(
      (runs.resources as { readonly Resources: Readonly<Record<string, Resource>> }).Resources,
    ),
  ]
  const count = (type: string) => made.filter(({ Type }) => Type === type).length
  return {
    scheduled: Object.entries(runs.functions as Readonly<Record<string, Function>>).flatMap(
      ([role, { memorySize, events }]) =>
        events.flatMap(({ schedule }) =>
          (schedule?.rate ?? []).map((rate) => ({ role, memoryMb: memorySize, callsPerHour: perHour(rate) })),
        ),
    ),
    alarms: count('AWS::CloudWatch::Alarm'),
    queryAlarms: [],
    querySeries: 0,
    metrics: new Set(made.flatMap(metricOf)).size,
    keys: count('AWS::KMS::Key'),
    polledMs: [],
  }
}

/** Several filters may count into one metric. */
function metricOf({ Type, Properties }: Resource): readonly string[] {
  if (Type !== 'AWS::Logs::MetricFilter') return []
  const { MetricTransformations } = Properties as {
    readonly MetricTransformations: readonly { readonly MetricName: string }[]
  }
  return MetricTransformations.map(({ MetricName }) => MetricName)
}

/** `rate(10 minutes)` -> 6. */
function perHour(rate: string): number {
  const [, count = '1', unit = ''] = /^rate\((\d+) (minute|hour)s?\)$/.exec(rate) ?? []
  if (unit === '') throw new RangeError(`a schedule that is not understood: ${rate}`)
  return (unit === 'minute' ? 60 : 1) / Number(count)
}
