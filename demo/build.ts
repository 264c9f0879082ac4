// SPDX-License-Identifier: Apache-2.0
// Makes the demo's messages from one Synthea patient: node demo/build.ts SYNTHEA_BUNDLE.json
import { readFileSync, writeFileSync } from 'node:fs'
import { locateJson } from '#core/record/json-source.ts'
import { plantA, plantB, correction } from './planted.ts'

interface Entry {
  readonly fullUrl: string
  readonly text: string
  readonly resource: { readonly resourceType: string; readonly id: string; readonly [name: string]: unknown }
}

/** Claims and their payments are left out: they repeat what the clinical resources say. */
const LEFT_OUT = ['Claim', 'ExplanationOfBenefit']
const SHARED = ['Organization', 'Practitioner']
/** The organization whose encounters are hospital A's; all others are hospital B's. */
const HOSPITAL_A = 'urn:uuid:956ccb85-bea0-30f9-af48-52f5dd95ff72'

const file = process.argv[2]
if (file === undefined) {
  process.stderr.write('usage: node demo/build.ts SYNTHEA_BUNDLE.json\n')
  process.exit(2)
}
const entries = readEntries(readFileSync(file, 'utf8'))
const organizationOf = new Map(
  entries
    .filter(({ resource }) => resource.resourceType === 'Encounter')
    .map(({ fullUrl, resource }) => [fullUrl, (resource['serviceProvider'] as { reference: string }).reference]),
)
const parts: Record<'a' | 'b', Entry[]> = { a: [], b: [] }
for (const entry of entries) {
  const { resourceType } = entry.resource
  if (LEFT_OUT.includes(resourceType) || SHARED.includes(resourceType) || resourceType === 'Patient') continue
  const encounter = resourceType === 'Encounter' ? entry.fullUrl : (entry.resource['encounter'] as { reference: string }).reference
  parts[organizationOf.get(encounter) === HOSPITAL_A ? 'a' : 'b'].push(entry)
}
write('hospital-a', [...withShared(parts.a), ...plantA(patientId())])
write('hospital-b', [...withShared(parts.b), ...plantB(patientId(), parts.a.map(({ resource }) => resource))])
write('correction', correction(patientId(), parts.a.map(({ resource }) => resource)))

function readEntries(text: string): Entry[] {
  const items = locateJson(text).members?.get('entry')?.items ?? []
  return items.flatMap((item) => {
    const [resource, fullUrl] = [item.members?.get('resource'), item.members?.get('fullUrl')]
    if (!resource || !fullUrl) return []
    const slice = text.slice(resource.start, resource.end)
    return [{ fullUrl: String(JSON.parse(text.slice(fullUrl.start, fullUrl.end))), text: slice, resource: JSON.parse(slice) as Entry['resource'] }]
  })
}

/** The patient, and the organizations and practitioners that the part refers to, keep their exact text. */
function withShared(part: readonly Entry[]): Entry[] {
  const patient = entries.filter(({ resource }) => resource.resourceType === 'Patient')
  const all = part.map(({ text }) => text).join('')
  const shared = entries.filter(({ fullUrl, resource }) => SHARED.includes(resource.resourceType) && all.includes(fullUrl))
  return [...patient, ...shared, ...part]
}

function patientId(): string {
  return entries.find(({ resource }) => resource.resourceType === 'Patient')?.resource.id ?? ''
}

function write(name: string, given: readonly { readonly fullUrl: string; readonly text: string; readonly resource: { readonly resourceType: string } }[]): void {
  const lines = given.map(
    ({ fullUrl, text, resource }) =>
      `{"fullUrl":${JSON.stringify(fullUrl)},"resource":${text},"request":{"method":"POST","url":"${resource.resourceType}"}}`,
  )
  const bundle = `{"resourceType":"Bundle","type":"transaction","entry":[\n${lines.join(',\n')}\n]}\n`
  writeFileSync(new URL(`./${name}.json`, import.meta.url), bundle)
}
