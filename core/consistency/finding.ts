// SPDX-License-Identifier: Apache-2.0
import { canonicalBytes } from '../bytes/canonical-json.ts'
import type { Digest } from '../bytes/ids.ts'
import { digestOf } from '../crypto/hash.ts'
import { COMPARTMENTS, type CompartmentName } from '../record/entry.ts'
import type { Evidence } from './evidence.ts'
import type { Hit, Rule, Severity } from './rule.ts'

/** Version of the rules; a finding says by which one it was made. */
export const RULES_VERSION = 'rules-2'

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
  /** True when the other values of the contradiction lie in other compartments and are not cited here. */
  readonly isOneSided: boolean
}

/** One finding where all evidence shares a compartment, else one per compartment that cites only its side. */
export function findingsOf(rule: Rule, hit: Hit): readonly Finding[] {
  const sides = new Map<string, Evidence[]>()
  for (const evidence of hit.evidence) {
    const side = sides.get(evidence.compartment)
    if (side) side.push(evidence)
    else sides.set(evidence.compartment, [evidence])
  }
  if (sides.size === 1) return [findingOf(rule, hit, hit.evidence, false)]
  const explanation =
    'The value below does not fit another one that is sealed in another compartment of this record.'
  const title = `${rule.rationale} (one side)`
  return [...sides.values()].map((side) => findingOf(rule, { ...hit, title, explanation }, side, true))
}

function findingOf(rule: Rule, hit: Hit, given: readonly Evidence[], isOneSided: boolean): Finding {
  const evidence = given.toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1))
  const facts = evidence.map(({ source, type, id, pointer, value }) => ({ source, type, id, pointer, value }))
  const compartment = evidence[0]?.compartment
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
    compartment: COMPARTMENTS.find((name) => name === compartment) ?? 'unclassified',
    isOneSided,
  }
}

function placeOf({ source, type, id, pointer }: Evidence): string {
  return `${source}/${type}/${id}${pointer}`
}
