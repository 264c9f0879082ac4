// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '../../bytes/encoding.ts'
import type { Timestamp } from '../../bytes/timestamp.ts'
import { digestOf } from '../../crypto/hash.ts'
import type { CheckReport } from '../../consistency/check.ts'
import { COMPARTMENTS, type EntryDraft } from '../../record/entry.ts'
import { settledBy } from '../../consistency/withdraw.ts'
import { claimOf, FINDING_TYPE, type Projection } from '../serve/projection.ts'
import { recordItems, sealedEntries } from '../serve/record-items.ts'

/** Entries by which a record's findings follow a check, and how many findings are new. */
export interface FindingsStep {
  readonly drafts: readonly EntryDraft[]
  readonly fresh: number
}

/** Files the findings that are not on the record yet, and withdraws those of `source` that later facts have settled. */
export function stepFindings(
  report: CheckReport,
  projection: Projection,
  source: string,
  time: Timestamp,
): FindingsStep {
  const own = projection.findings.filter(({ filedBy }) => filedBy === source)
  const known = new Set<string>(own.map((finding) => finding.id))
  // Of another institution's only what says the same: it could have filed anything under the id.
  const said = new Set(projection.findings.map(claimOf))
  const fresh = report.findings.filter(
    (finding) => !known.has(finding.id) && !said.has(claimOf({ resourceType: FINDING_TYPE, ...finding })),
  )
  const seen = { items: recordItems(projection), isSealed: sealedEntries(projection) }
  const settled = settledBy(report, own, seen)
  const drafts = [
    ...fresh.map((finding) => draft(source, time, { ...finding }, 'current', finding.compartment)),
    ...settled.map(({ id, compartment }) =>
      draft(source, time, { id }, 'deleted', compartmentNamed(compartment)),
    ),
  ]
  return { drafts, fresh: fresh.length }
}

function draft(
  source: string,
  time: Timestamp,
  finding: { readonly id: string },
  status: EntryDraft['header']['status'],
  compartment: EntryDraft['compartment'],
): EntryDraft {
  const content = utf8(JSON.stringify({ resourceType: FINDING_TYPE, ...finding }))
  const header: EntryDraft['header'] = {
    v: 1,
    source,
    type: FINDING_TYPE,
    id: finding.id,
    fullUrl: null,
    version: null,
    time,
    status,
    supersedes: null,
    labels: [],
    origin: { format: 'fhir+json', hash: digestOf(content), received: time },
    media: 'application/vnd.ampere.finding+json',
  }
  return { header, content, compartment }
}

function compartmentNamed(name: unknown): EntryDraft['compartment'] {
  return COMPARTMENTS.find((known) => known === name) ?? 'unclassified'
}
