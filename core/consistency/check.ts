// SPDX-License-Identifier: Apache-2.0
import { canonicalBytes } from '../bytes/canonical-json.ts'
import type { Digest } from '../bytes/ids.ts'
import { digestOf } from '../crypto/hash.ts'
import { COMPARTMENTS, type CompartmentName } from '../record/entry.ts'
import { groupBy, indexFacts, type RecordItem } from './facts.ts'
import type { Knowledge } from './knowledge.ts'
import type { Evidence, Hit, Rule, Severity } from './rule.ts'
import { RULES } from './rules/all.ts'

/** Version of the rules; a finding says by which one it was made. */
export const RULES_VERSION = 'rules-1'

/** Something that does not fit, with the values that show it. About the data, never about treatment. */
export interface Finding {
  readonly v: 1
  /** SHA-256 of rule and evidence: the same facts give the same finding, in whatever order they came. */
  readonly id: Digest
  readonly rule: string
  readonly rulesVersion: string
  readonly kahn: Rule['kahn']
  readonly severity: Severity
  readonly title: string
  readonly explanation: string
  readonly evidence: readonly Evidence[]
  /** Where it is sealed: every reader of it may read all its evidence. */
  readonly compartment: CompartmentName
}

export interface CheckReport {
  readonly findings: readonly Finding[]
  readonly results: readonly {
    readonly rule: string
    readonly status: 'pass' | 'fail' | 'could-not-assess'
    readonly checked: number
    readonly reason?: string
  }[]
}

const ORDER: Readonly<Record<Severity, number>> = { safety: 0, error: 1, warn: 2, info: 3 }

/**
 * Applies every rule to a record's current resources. Deterministic: the order of `items` does not matter.
 * `nowMs` is the time against which "in the future" is judged.
 */
export function checkRecord(items: readonly RecordItem[], knowledge: Knowledge, nowMs: number): CheckReport {
  const facts = indexFacts(
    items.toSorted((a, b) => compare(itemKey(a), itemKey(b))),
    nowMs,
  )
  const findings = new Map<Digest, Finding>()
  const results = RULES.map((rule) => {
    const result = rule.apply(facts, knowledge)
    for (const hit of result.hits) {
      for (const finding of findingsOf(rule, hit)) findings.set(finding.id, finding)
    }
    const status =
      result.hits.length > 0
        ? ('fail' as const)
        : result.checked > 0
          ? ('pass' as const)
          : ('could-not-assess' as const)
    return {
      rule: rule.id,
      status,
      checked: result.checked,
      ...(result.notAssessed === undefined ? {} : { reason: result.notAssessed }),
    }
  })
  const sorted = [...findings.values()].toSorted(
    (a, b) => ORDER[a.severity] - ORDER[b.severity] || compare(a.rule, b.rule) || compare(a.id, b.id),
  )
  return { findings: sorted, results }
}

/** One finding where all evidence shares a compartment, else one per compartment that cites only its side. */
function findingsOf(rule: Rule, hit: Hit): Finding[] {
  const sides = [...groupBy(hit.evidence, (evidence) => evidence.compartment)]
  if (sides.length === 1) return [findingOf(rule, hit, hit.evidence)]
  const explanation =
    'The value below does not fit another one that is sealed in another compartment of this record.'
  const title = `${rule.rationale} (one side)`
  return sides.map(([, evidence]) => findingOf(rule, { ...hit, title, explanation }, evidence))
}

function findingOf(rule: Rule, hit: Hit, given: readonly Evidence[]): Finding {
  const evidence = given.toSorted((a, b) => compare(key(a), key(b)))
  const facts = evidence.map(({ source, type, id, pointer, value }) => ({ source, type, id, pointer, value }))
  const [first] = evidence
  return {
    v: 1,
    id: digestOf(canonicalBytes({ rule: rule.id, facts })),
    rule: rule.id,
    rulesVersion: RULES_VERSION,
    kahn: rule.kahn,
    severity: rule.severity,
    title: hit.title,
    explanation: hit.explanation,
    evidence,
    compartment: COMPARTMENTS.find((name) => name === first?.compartment) ?? 'unclassified',
  }
}

/** Entry ids are random; source, type and id are what stays the same however a record was filed. */
function itemKey({ source, resource, ref }: RecordItem): string {
  return `${source}/${resource.resourceType}/${String(resource.id)}/${ref}`
}

function key(evidence: Evidence): string {
  return `${evidence.source}/${evidence.type}/${evidence.id}${evidence.pointer}`
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
