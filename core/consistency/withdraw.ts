// SPDX-License-Identifier: Apache-2.0
import type { CheckReport } from './checker.ts'
import { elementAt, shown, type Evidence } from './evidence.ts'
import type { RecordItem } from './facts.ts'
import { exclusionOf } from './read/codes.ts'
import type { Rule } from './rule.ts'
import { RULES } from './rules/all.ts'

/** A finding that stands on a record, as it was read back. */
export interface FiledFinding {
  readonly id: string
  readonly rule?: unknown
  readonly evidence?: unknown
  readonly isOneSided?: unknown
}

/** What a check was made of. */
export interface CheckedRecord {
  readonly items: readonly RecordItem[]
  /** True for entries that the record holds and whoever checked it cannot open. */
  readonly isSealed: (ref: string) => boolean
}

/**
 * The filed findings that a check has settled: it could have found them again, and did not. A check of the whole record
 * settles all that it did not find. One of a part settles only what the part shows to be over: a cited value is gone or
 * reads otherwise now, or all that the rule looks at is cited and open.
 */
export function settledBy<F extends FiledFinding>(
  report: CheckReport,
  filed: readonly F[],
  { items, isSealed }: CheckedRecord,
): readonly F[] {
  const standing = new Set<string>(report.findings.map(({ id }) => id))
  const missing = filed.filter(({ id }) => !standing.has(id))
  if (!report.isPartial) return missing
  const current = new Map(items.map((item) => [nameOf(item.source, item.resource), item]))
  return missing.filter((finding) => {
    const states = evidenceOf(finding).map((evidence) => stateOf(evidence, current, isSealed))
    if (states.includes('over')) return true
    return finding.isOneSided !== true && !states.includes('sealed') && isSelfContained(finding.rule)
  })
}

/** Whether a cited value still stands as it was cited. */
function stateOf(
  evidence: Evidence,
  current: ReadonlyMap<string, RecordItem>,
  isSealed: CheckedRecord['isSealed'],
): 'stands' | 'over' | 'sealed' {
  const item = current.get(`${evidence.source}/${evidence.type}/${evidence.id}`)
  if (!item) return isSealed(evidence.ref) ? 'sealed' : 'over'
  const isCited = shown(elementAt(item.resource, evidence.pointer)) === evidence.value
  return isCited && exclusionOf(item.resource) === null ? 'stands' : 'over'
}

const BY_ID: ReadonlyMap<unknown, Rule> = new Map(RULES.map((rule) => [rule.id, rule]))

/** True when a rule judges by what it cites alone, or is no longer applied: nothing that is sealed could bring it back. */
function isSelfContained(id: unknown): boolean {
  const checks = BY_ID.get(id)?.checks ?? []
  return checks.every(
    (check) => (check.reads ?? []).length === 0 && !(check.scope === 'member' && check.reach > 0),
  )
}

function evidenceOf({ evidence }: FiledFinding): readonly Evidence[] {
  return Array.isArray(evidence) ? (evidence as Evidence[]) : []
}

function nameOf(source: string, resource: RecordItem['resource']): string {
  return `${source}/${resource.resourceType}/${resource.id ?? ''}`
}
