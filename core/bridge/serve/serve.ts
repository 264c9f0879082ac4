// SPDX-License-Identifier: Apache-2.0
import { fromBase64url, fromUtf8, toBase64url, utf8 } from '../../bytes/encoding.ts'
import type { FhirResource } from '../../record/fhir/model.ts'
import { AmpereError } from '../../errors.ts'
import {
  servedJson,
  versionId,
  shownVersion,
  type Projection,
  type ServedResource,
  type ServedVersion,
} from './projection.ts'
import type { Hit } from './search.ts'

/** Resources per page unless `_count` asks for fewer or more. */
const DEFAULT_COUNT = 100
export const MAX_COUNT = 1000
/** Bytes of the resources on one page, as their sources wrote them; one that is larger is a page of its own. */
export const MAX_PAGE_BYTES = 16 * 1024 * 1024

/** Where the answers' links point. */
export interface Place {
  /** Base of the FHIR endpoint, without a slash at the end. */
  readonly base: string
  /** The request's own URL. */
  readonly url: URL
}

/** A resource by type and served id. @throws AmpereError NOT_FOUND, GONE (deleted or entered in error) */
export function findResource(projection: Projection, type: string, id: string): ServedResource {
  const found = projection.resources.get(`${type}/${id}`)
  if (!found) throw new AmpereError('NOT_FOUND', 'no such resource')
  return found
}

/** The version to show. @throws AmpereError GONE */
export function currentOf(resource: ServedResource): ServedVersion {
  const version = shownVersion(resource)
  if (!version) throw new AmpereError('GONE', 'the resource was deleted or entered in error')
  return version
}

/** A version by its id. @throws AmpereError NOT_FOUND */
export function versionOf(resource: ServedResource, id: string): ServedVersion {
  const version = resource.versions.find((candidate) => versionId(candidate) === id)
  if (!version) throw new AmpereError('NOT_FOUND', 'no such version')
  return version
}

/** A searchset with paging by `link.next`. There is no `total`: it would have to be true while the record grows. */
export function searchset(projection: Projection, hits: readonly Hit[], place: Place): object {
  const { items, links } = page(hits, place)
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    link: links,
    entry: items.map(({ resource, version }) => ({
      fullUrl: `${place.base}/${resource.type}/${resource.id}`,
      resource: servedJson(projection, resource, version),
      search: { mode: 'match' },
    })),
  }
}

/** All versions of a resource, the newest first. */
export function history(projection: Projection, resource: ServedResource, place: Place): object {
  return {
    resourceType: 'Bundle',
    type: 'history',
    link: [{ relation: 'self', url: place.url.href }],
    entry: resource.versions.map((version, i) => {
      const url = `${resource.type}/${resource.id}`
      const deleted = version.header.status === 'deleted'
      const first = i === resource.versions.length - 1
      return {
        fullUrl: `${place.base}/${url}`,
        ...(deleted ? {} : { resource: servedJson(projection, resource, version) }),
        // A create is sent to the type; the id is the answer's.
        request: deleted
          ? { method: 'DELETE', url }
          : first
            ? { method: 'POST', url: resource.type }
            : { method: 'PUT', url },
        response: {
          status: deleted ? '204' : first ? '201' : '200',
          etag: `W/"${versionId(version)}"`,
          lastModified: version.header.time ?? version.entry.time,
        },
      }
    }),
  }
}

/** Where a version came from and where it lies: institution, original message, entry, block and chain. */
export function provenance(resource: ServedResource, version: ServedVersion): FhirResource {
  return {
    resourceType: 'Provenance',
    id: `p.${version.entry.id.replaceAll('_', '.')}`.slice(0, 64),
    target: [{ reference: `${resource.type}/${resource.id}/_history/${versionId(version)}` }],
    recorded: version.entry.time,
    agent: [
      {
        type: {
          coding: [
            {
              system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type',
              code: 'transmitter',
            },
          ],
        },
        who: identifier('institution', version.header.source),
      },
    ],
    entity: [
      { role: 'source', what: identifier('message-sha256', version.header.origin.hash) },
      { role: 'source', what: identifier('entry', version.entry.id) },
      { role: 'source', what: identifier('block', version.entry.block) },
      { role: 'source', what: identifier('chain', version.entry.chain) },
      {
        role: 'source',
        what: {
          ...identifier('receipt', version.entry.block),
          display: 'promised: the home signed that it holds the block; it is in no transparency log yet',
        },
      },
    ],
  }
}

function identifier(system: string, value: string): object {
  return { identifier: { system: `urn:ampere:${system}`, value } }
}

function page(hits: readonly Hit[], place: Place): { items: readonly Hit[]; links: object[] } {
  const { searchParams } = place.url
  const count = countOf(searchParams.get('_count'))
  const after = cursorOf(searchParams.get('_cursor'))
  // By name, not by number: what is filed or deleted meanwhile neither hides nor repeats another resource.
  const rest = hits
    .map((hit) => ({ hit, name: orderOf(hit) }))
    .filter(({ name }) => after === null || name > after)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const items = rest.slice(0, fitting(rest.slice(0, count), MAX_PAGE_BYTES))
  const links: object[] = [{ relation: 'self', url: place.url.href }]
  const last = items.at(-1)
  if (last && rest.length > items.length) {
    const next = new URL(place.url)
    next.searchParams.set('_cursor', toBase64url(utf8(last.name)))
    links.push({ relation: 'next', url: next.href })
  }
  return { items: items.map(({ hit }) => hit), links }
}

/** How many hits from the first on have at most `maxBytes` together; at least one. */
function fitting(hits: readonly { readonly hit: Hit }[], maxBytes: number): number {
  let bytes = 0
  const end = hits.findIndex(({ hit }) => (bytes += hit.version.entry.content.length) > maxBytes)
  return end === -1 ? hits.length : Math.max(1, end)
}

/** The patient first, then by type and id. */
function orderOf({ resource: { type, id } }: Hit): string {
  return `${type === 'Patient' ? 0 : 1} ${type}/${id}`
}

function countOf(text: string | null): number {
  if (text === null) return DEFAULT_COUNT
  if (!/^\d{1,6}$/.test(text)) throw new AmpereError('REQUEST_MALFORMED', '_count is not a count')
  return Math.min(Number(text), MAX_COUNT)
}

function cursorOf(text: string | null): string | null {
  if (text === null) return null
  try {
    return fromUtf8(fromBase64url(text))
  } catch (cause) {
    throw new AmpereError('REQUEST_MALFORMED', 'the cursor is not one of ours', { cause })
  }
}
