// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import type { RecordItem } from '#core/consistency/facts.ts'
import type { FhirResource } from '#core/record/fhir/model.ts'

const SAMPLE = new URL(
  '../../samples/synthea-r4/Janine_Purdy_2faebad1-a5a5-45c5-b19c-a8f8cc5b55e1.json',
  import.meta.url,
)
const UUID = /([0-9a-f]{8})(-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/g
const TIME = /"(\d{4}-\d\d-\d\dT[^"]{8,20})"/g
const MONTH = 30 * 86_400_000

/**
 * A record of any length: a real sample's history again and again, each time under other ids, earlier by some months,
 * and from the other of two institutions. One patient, whose id and dates stay.
 */
export function longRecord(length: number): readonly RecordItem[] {
  const { entry } = JSON.parse(readFileSync(SAMPLE, 'utf8')) as { entry: { resource: FhirResource }[] }
  const resources = entry.map(({ resource }) => resource)
  const patient = resources.find((one) => one.resourceType === 'Patient')?.id ?? ''
  const items: RecordItem[] = []
  for (let round = 0; items.length < length; round++) {
    for (const resource of resources) {
      if (items.length === length || (round > 0 && resource.resourceType === 'Patient')) continue
      const ref = `entry-${items.length}`
      const source = round % 2 === 0 ? 'a' : 'b'
      items.push({ ref, source, compartment: 'general', resource: again(resource, round, patient) })
    }
  }
  return items
}

function again(resource: FhirResource, round: number, patient: string): FhirResource {
  if (round === 0 || resource.id === patient) return resource
  const text = JSON.stringify(resource)
    .replaceAll(UUID, (id, head: string, tail: string) =>
      id === patient
        ? id
        : `${((Number.parseInt(head, 16) + round) >>> 0).toString(16).padStart(8, '0')}${tail}`,
    )
    .replaceAll(TIME, (_, time: string) => `"${new Date(Date.parse(time) - round * MONTH).toISOString()}"`)
  return JSON.parse(text) as FhirResource
}
