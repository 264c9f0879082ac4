// SPDX-License-Identifier: Apache-2.0
import type { Facts, Measurement, RecordItem } from './facts.ts'
import type { Knowledge } from './knowledge.ts'

export type Severity = 'info' | 'warn' | 'error' | 'safety'

/** A value that a finding cites, and where to read it again. */
export interface Evidence {
  readonly ref: string
  readonly source: string
  readonly compartment: string
  readonly type: string
  readonly id: string
  /** RFC 6901 pointer into the resource. */
  readonly pointer: string
  readonly value: string
}

/** What one application of a rule found, in words that a clinician reads. */
export interface Hit {
  readonly title: string
  readonly explanation: string
  readonly evidence: readonly Evidence[]
}

/** What a rule said of a whole record: how often it could be applied, and what failed. */
export interface RuleResult {
  readonly checked: number
  readonly hits: readonly Hit[]
  /** Why nothing could be checked, when nothing could. */
  readonly notAssessed?: string
}

/** One rule about data quality. None gives treatment advice. */
export interface Rule {
  readonly id: string
  /** Category of Kahn et al. 2016. */
  readonly kahn: 'conformance' | 'completeness' | 'plausibility'
  readonly severity: Severity
  readonly rationale: string
  /** Limits and thresholds are proposals until a clinician has reviewed them. */
  readonly review: 'proposed' | 'structural'
  readonly apply: (facts: Facts, knowledge: Knowledge) => RuleResult
}

/** Cites an element of a resource. */
export function cite(item: RecordItem, pointer: string, value: unknown): Evidence {
  return {
    ref: item.ref,
    source: item.source,
    compartment: item.compartment,
    type: item.resource.resourceType,
    id: item.resource.id ?? '',
    pointer,
    value: typeof value === 'string' ? value : JSON.stringify(value ?? null),
  }
}

/** Cites a measured value. */
export function citeValue(measurement: Measurement): Evidence {
  return cite(measurement.item, measurement.pointer, `${measurement.value} ${measurement.unit}`.trim())
}

/** A result over candidates: each is applied, `null` from `test` means it holds. */
export function over<T>(
  candidates: readonly T[],
  missing: string,
  test: (candidate: T) => Hit | null,
): RuleResult {
  if (candidates.length === 0) return { checked: 0, hits: [], notAssessed: missing }
  const hits = candidates.flatMap((candidate) => test(candidate) ?? [])
  return { checked: candidates.length, hits }
}
