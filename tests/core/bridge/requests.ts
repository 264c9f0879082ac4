// SPDX-License-Identifier: Apache-2.0
import type { BridgeWorld } from '#tests/bridge-world.ts'

export const JSON_TYPE = { 'content-type': 'application/fhir+json' }
/** One request to a bridge, without a network. */
export const send = (
  world: BridgeWorld,
  method: string,
  path: string,
  body?: string | Uint8Array,
  headers: Record<string, string> = JSON_TYPE,
) => world.app.request(path, { method, headers, ...(body === undefined ? {} : { body: body as string }) })
export type Json = Record<string, unknown>
export interface BundleJson {
  readonly link: { relation: string; url: string }[]
  readonly type?: string
  readonly entry: {
    resource: Json & { resourceType: string; id: string }
    response?: { status: string; location?: string; etag?: string; outcome?: Json }
  }[]
}

export const patient = (id: string) => ({
  resourceType: 'Patient',
  id,
  name: [{ family: 'Test' }],
  birthDate: '1980-01-01',
  gender: 'female',
})
export const observation = (id: string, of: string, more: Json = {}) => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '29463-7' }], text: 'Body Weight' },
  subject: { reference: `Patient/${of}` },
  effectiveDateTime: '2020-05-01T10:00:00Z',
  valueQuantity: { value: 70, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' },
  ...more,
})
export const bundle = (type: string, resources: readonly Json[]) =>
  JSON.stringify({
    resourceType: 'Bundle',
    type,
    entry: resources.map((resource) => ({
      resource,
      request: { method: 'POST', url: resource['resourceType'] },
    })),
  })

/** The body of an answer. */
export async function json(answer: Response | Promise<Response>): Promise<Json> {
  return (await (await answer).json()) as Json
}

/** The body of an answer that is a Bundle. */
export async function bundleOf(answer: Response | Promise<Response>): Promise<BundleJson> {
  return (await (await answer).json()) as BundleJson
}
