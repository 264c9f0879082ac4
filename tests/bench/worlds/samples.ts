// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { utf8 } from '#core/bytes/encoding.ts'
import { locateJson } from '#core/record/json-source.ts'

const SYNTHEA = new URL('../../samples/synthea-r4/', import.meta.url)
const PATIENTS = [
  'Janine_Purdy_2faebad1-a5a5-45c5-b19c-a8f8cc5b55e1.json',
  'Matt_Runte_789349c8-a36b-4d3d-9a1a-c04ba3bb6c45.json',
]

/** The two Synthea bundles of the samples, one patient each. */
export function syntheaBundles(): readonly Uint8Array[] {
  return PATIENTS.map((name) => readFileSync(new URL(name, SYNTHEA)))
}

/** The exact texts of all resources in a bundle. */
export function resourceTexts(bundle: Uint8Array): readonly string[] {
  const text = new TextDecoder().decode(bundle)
  const entries = locateJson(text).members?.get('entry')?.items ?? []
  return entries.flatMap((entry) => {
    const node = entry.members?.get('resource')
    return node ? [text.slice(node.start, node.end)] : []
  })
}

/** `count` real resources whose length is nearest to `bytes`, without their indentation. */
export function resourcesOfSize(count: number, bytes: number): readonly Uint8Array<ArrayBuffer>[] {
  const all = syntheaBundles().flatMap((bundle) =>
    resourceTexts(bundle).map((text) => utf8(JSON.stringify(JSON.parse(text)))),
  )
  const distance = (content: Uint8Array) => Math.abs(content.length - bytes)
  return all.toSorted((a, b) => distance(a) - distance(b)).slice(0, count)
}

/**
 * One patient's bundle with `count` resources: those of a Synthea bundle, copied under other ids until there are
 * enough. Everything stays about the one patient.
 */
export function largeBundle(count: number): { readonly bytes: Uint8Array; readonly patientId: string } {
  const [bundle = new Uint8Array(0)] = syntheaBundles()
  const { entry } = JSON.parse(new TextDecoder().decode(bundle)) as { entry: readonly BundleEntry[] }
  const patient = entry.find(({ resource }) => resource.resourceType === 'Patient')
  if (!patient) throw new Error('the sample has no patient')
  const others = entry.filter((one) => one !== patient)
  const entries = [patient]
  for (let copy = 0; entries.length < count; copy++) {
    for (const one of others.slice(0, count - entries.length))
      entries.push(copied(one, copy, patient.fullUrl))
  }
  const text = JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry: entries })
  return { bytes: utf8(text), patientId: patient.fullUrl.replace('urn:uuid:', '') }
}

interface BundleEntry {
  readonly fullUrl: string
  readonly resource: { readonly resourceType: string; readonly id: string }
}

/** The same resource under other ids: the last four digits of each uuid but the patient's are the copy's number. */
function copied(entry: BundleEntry, copy: number, patientUrl: string): BundleEntry {
  const patientId = patientUrl.replace('urn:uuid:', '')
  const suffix = copy.toString(16).padStart(4, '0')
  const text = JSON.stringify(entry).replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (uuid) =>
    copy === 0 || uuid === patientId ? uuid : `${uuid.slice(0, -4)}${suffix}`,
  )
  return JSON.parse(text) as BundleEntry
}
