// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { checkRecord } from '#core/consistency/check.ts'
import type { Finding } from '#core/consistency/finding.ts'
import { withRules } from '../../../docs/build.ts'
import { item, type Items, type Json } from './small-records.ts'
import { knowledge } from '#tests/bridge-world.ts'

const NOW = Date.parse('2026-11-24T12:00:00Z')
const SAMPLES = new URL('../../samples/', import.meta.url)
const DOCUMENT = readFileSync(new URL('../../../docs/CONSISTENCY.md', import.meta.url), 'utf8')

const filesOf = (folder: string) =>
  readdirSync(new URL(folder, SAMPLES)).map((name) =>
    readFileSync(new URL(`${folder}${name}`, SAMPLES), 'utf8'),
  )
const resourcesOf = (bundle: string) =>
  (JSON.parse(bundle) as { entry: { resource: Json }[] }).entry.map(({ resource }) => resource)
const linesOf = (file: string) =>
  file
    .split('\n')
    .filter((line) => line.startsWith('{"'))
    .map((line) => JSON.parse(line) as Json)

/** The patient that a resource is about, as the reference is written. */
function subjectOf(resource: Json): string {
  const { subject, patient } = resource as {
    subject?: { reference?: string }
    patient?: { reference?: string }
  }
  return resource['resourceType'] === 'Patient'
    ? `Patient/${String(resource['id'])}`
    : (subject?.reference ?? patient?.reference ?? '')
}

/** Findings in the record of each patient of a sample. */
function findingsIn(resources: readonly Json[]): {
  readonly patients: number
  readonly findings: readonly Finding[]
} {
  const records = Map.groupBy(
    resources.filter((one) => 'resourceType' in one),
    subjectOf,
  )
  const patients = [...records.keys()].filter((name) => name.startsWith('Patient/')).length
  const asRecord = (some: readonly Json[]): Items => some.map((resource) => item('a', resource))
  return {
    patients,
    findings: [...records.values()].flatMap((some) => checkRecord(asRecord(some), knowledge, NOW).findings),
  }
}

/** What the cited references lead to, and which of it is there after all. */
function targetsOf(findings: readonly Finding[], resources: readonly Json[]) {
  const targets = findings.flatMap(({ evidence }) => evidence.map(({ value }) => value))
  const there = new Set(resources.map((one) => `${String(one['resourceType'])}/${String(one['id'])}`))
  return {
    kinds: new Set(targets.map((target) => target.split('/')[0])),
    there: targets.filter((target) => there.has(target)),
  }
}

describe('the samples', () => {
  it.each(readdirSync(new URL('synthea-r4/', SAMPLES)))('give no finding: %s', (name) => {
    const record = resourcesOf(readFileSync(new URL(`synthea-r4/${name}`, SAMPLES), 'utf8')).map((resource) =>
      item('a', resource),
    )
    const { findings, results } = checkRecord(record, knowledge, NOW)
    expect(findings).toEqual([])
    if (!name.startsWith('practitioner'))
      expect(results.filter(({ status }) => status === 'pass').length).toBeGreaterThan(15)
  })

  it('give, for an export that was cut off, only encounters that are not there', () => {
    const resources = filesOf('bulk-ndjson/').flatMap(linesOf)
    const { patients, findings } = findingsIn(resources)
    expect(new Set(findings.map(({ rule }) => rule))).toEqual(new Set(['R96']))
    expect(targetsOf(findings, resources)).toEqual({ kinds: new Set(['Encounter']), there: [] })
    expect(DOCUMENT).toContain(`bulk-ndjson, ${patients} patients | ${findings.length} of R96`)
  })

  it('give, for single examples, only examples that are not there', () => {
    const resources = filesOf('us-core-examples/').map((file) => JSON.parse(file) as Json)
    const { patients, findings } = findingsIn(resources)
    expect(new Set(findings.map(({ rule }) => rule))).toEqual(new Set(['R96']))
    expect(targetsOf(findings, resources).there).toEqual([])
    expect(DOCUMENT).toContain(`us-core-examples, ${patients} patients | ${findings.length} of R96`)
  })
})

describe('docs/CONSISTENCY.md', () => {
  it('has the table that the rules make', () => {
    expect(DOCUMENT).toBe(withRules(DOCUMENT))
  })

  it('counts what the tables know', () => {
    const { analytes, allergens } = knowledge
    expect(DOCUMENT).toContain(`${analytes.size} analytes, 494 products and ${allergens.size} allergens`)
  })
})
