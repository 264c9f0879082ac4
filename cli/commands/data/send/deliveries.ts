// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '#core/errors.ts'

/** One request to a FHIR server, and the places in the file that it is about. */
export interface Delivery {
  readonly method: 'POST' | 'PUT'
  /** Path below the server's base, empty for the base itself. */
  readonly path: string
  readonly body: string
  readonly places: readonly Place[]
}

/** Where something stands in the file: line or entry number, and its resource type. */
export interface Place {
  readonly position: number
  readonly type: string
}

/** A line that cannot be sent. */
export interface Unsendable extends Place {
  readonly why: string
}

interface Plan {
  /** What a position counts. */
  readonly unit: 'line' | 'entry'
  readonly deliveries: readonly Delivery[]
  readonly unsendable: readonly Unsendable[]
}

interface Resource {
  readonly resourceType?: unknown
  readonly id?: unknown
}
interface Bundle extends Resource {
  readonly type?: unknown
  readonly entry?: readonly { readonly resource?: Resource }[]
}

/**
 * How a hospital's software would deliver the file: a transaction or batch as it is, other Bundles and lines
 * of NDJSON resource by resource, updates where a resource has an id. The text of a resource is not changed.
 * @throws AmpereError JSON_MALFORMED, RESOURCE_MALFORMED
 */
export function planDeliveries(text: string, isNdjson: boolean): Plan {
  if (isNdjson) return planLines(text)
  const root: Bundle | null = parsed(text)
  if (!root) throw new AmpereError('JSON_MALFORMED', 'the file is not JSON')
  if (root.resourceType !== 'Bundle') return planEntries([{ resource: root }], [text])
  const entries = root.entry ?? []
  if (root.type === 'transaction' || root.type === 'batch') {
    const places = entries.map(({ resource }, position) => ({ position, type: typeOf(resource) }))
    return { unit: 'entry', deliveries: [{ method: 'POST', path: '', body: text, places }], unsendable: [] }
  }
  return planEntries(
    entries,
    entries.map(({ resource }) => JSON.stringify(resource ?? null)),
  )
}

function planLines(text: string): Plan {
  const deliveries: Delivery[] = []
  const unsendable: Unsendable[] = []
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const resource: Resource | null = parsed(line)
    const place = { position: i + 1, type: typeOf(resource ?? undefined) }
    if (!resource) unsendable.push({ ...place, why: 'not JSON' })
    else if (place.type === UNKNOWN) unsendable.push({ ...place, why: 'no resourceType' })
    else deliveries.push(deliveryOf(resource, line.trim(), place))
  }
  return { unit: 'line', deliveries, unsendable }
}

function planEntries(entries: readonly { readonly resource?: Resource }[], bodies: readonly string[]): Plan {
  const deliveries: Delivery[] = []
  const unsendable: Unsendable[] = []
  for (const [position, { resource }] of entries.entries()) {
    const place = { position, type: typeOf(resource) }
    if (!resource || place.type === UNKNOWN) unsendable.push({ ...place, why: 'no resource with a type' })
    else deliveries.push(deliveryOf(resource, bodies[position] ?? '', place))
  }
  return { unit: 'entry', deliveries, unsendable }
}

function deliveryOf({ id }: Resource, body: string, place: Place): Delivery {
  const hasId = typeof id === 'string' && /^[A-Za-z0-9.-]{1,64}$/.test(id)
  return hasId
    ? { method: 'PUT', path: `/${place.type}/${id}`, body, places: [place] }
    : { method: 'POST', path: `/${place.type}`, body, places: [place] }
}

const UNKNOWN = 'unknown'

function typeOf(resource: Resource | undefined): string {
  const type = resource?.resourceType
  return typeof type === 'string' && /^[A-Z][A-Za-z]{1,63}$/.test(type) ? type : UNKNOWN
}

/** Null for what is not a JSON object. */
function parsed(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null
  } catch {
    return null
  }
}
