// SPDX-License-Identifier: Apache-2.0
import type { Context } from 'hono'
import type { Actor, Bridge } from '#core/bridge/bridge.ts'
import { withinScopes } from '#core/bridge/serve/within-scopes.ts'
import { servedJson, versionId, type Projection } from '#core/bridge/serve/projection.ts'
import { everything, search } from '#core/bridge/serve/search.ts'
import {
  currentOf,
  findResource,
  history,
  provenance,
  searchset,
  versionOf,
} from '#core/bridge/serve/serve.ts'
import { AmpereError } from '#core/errors.ts'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { readBody, requireType, type RoleApp } from '../host/app.ts'
import type { Interaction } from '#core/token/scopes.ts'
import { fhir, FHIR_JSON, placeOf } from './answers.ts'
import { forbidden, type Guard } from './guard.ts'

/** Largest form of a search by POST, in bytes. */
const MAX_SEARCH_BYTES = 64 * 1024
/** With what each type is in `$everything`: it is a list of resources that nobody named. */
const EVERYTHING_NEEDS: Interaction = 's'

/** An opened record, and whose it is. */
export interface Asked {
  readonly projection: Projection
  readonly patientId: string
}

/** Reading, versions, history, search and $everything. */
export function addReads(app: RoleApp, bridge: Bridge, guard: Guard): void {
  app.get('/fhir/Patient/:id/$everything', (c) => readEverything(bridge, guard, c))
  app.get('/fhir/:type/:id/_history/:version', async (c) => {
    const { type, id, version } = c.req.param()
    const { actor } = await guard.allow(c, 'r', type)
    const { projection } = await locate(bridge, c, actor, { type, id })
    const resource = findResource(projection, type, id)
    const found = versionOf(resource, version)
    if (found.header.status === 'deleted') throw new AmpereError('GONE', 'this version is a deletion')
    return fhir(servedJson(projection, resource, found), 200, { etag: `W/"${version}"` })
  })
  app.get('/fhir/:type/:id/_history', async (c) => {
    const { type, id } = c.req.param()
    const { actor } = await guard.allow(c, 'r', type)
    const { projection } = await locate(bridge, c, actor, { type, id })
    return fhir(history(projection, findResource(projection, type, id), placeOf(c)))
  })
  app.get('/fhir/Provenance', async (c) => {
    const { actor } = await guard.allow(c, 's', 'Provenance')
    const target = c.req.query('target')
    if (target === undefined) throw new AmpereError('UNSUPPORTED', 'a search for Provenance needs target')
    const [type = '', id = ''] = target.split('/')
    const { projection } = await locate(bridge, c, actor, { type, id })
    const resource = findResource(projection, type, id)
    const entry = resource.versions.map((version) => ({ resource: provenance(resource, version) }))
    const link = [{ relation: 'self', url: c.req.url }]
    return fhir({ resourceType: 'Bundle', type: 'searchset', link, entry })
  })
  app.get('/fhir/:type/:id', (c) => read(bridge, guard, c))
  app.get('/fhir/:type', (c) => searchType(bridge, guard, c, placeOf(c).url.searchParams))
  app.post('/fhir/:type/_search', async (c) => {
    // Before the body is read: who may not ask is not listened to.
    await guard.allow(c, 's', c.req.param('type'))
    requireType(c.req.raw, 'application/x-www-form-urlencoded')
    const form = new URLSearchParams(fromUtf8(await readBody(c.req.raw, MAX_SEARCH_BYTES)))
    return searchType(bridge, guard, c, new URLSearchParams([...placeOf(c).url.searchParams, ...form]))
  })
}

/** The patient whose record holds a resource: named in the query, the resource itself, or found in the index. */
export async function locate(
  bridge: Bridge,
  c: Context,
  actor: Actor,
  { type, id }: { readonly type: string; readonly id: string },
): Promise<Asked> {
  const named = c.req.query('patient')?.replace(/^Patient\//, '')
  const patientId = named ?? (type === 'Patient' ? id : await bridge.patientOf(type, id))
  return open(bridge, actor, patientId, `read ${type}`)
}

/** Opens a patient's record; that it was opened is kept before anything of it is given out. */
async function open(bridge: Bridge, actor: Actor, named: string, what: string): Promise<Asked> {
  // Another institution's Patient resource is served under a name that is no patient id here.
  const isOwn = (await bridge.ports.store.patients.find(named)) !== null
  const patientId = isOwn ? named : await bridge.patientOf('Patient', named)
  const { chain, projection } = await bridge.record(patientId)
  const resources = projection.resources.size
  await bridge.ports.store.access.record({ ...actor, chain, what, resources })
  return { projection, patientId }
}

async function readEverything(bridge: Bridge, guard: Guard, c: Context): Promise<Response> {
  const { actor, scopes } = await guard.allow(c, 'r', 'Patient')
  const place = placeOf(c)
  const query = place.url.searchParams
  const within = withinScopes(scopes)
  // Left out of what was asked for by name, it would seem not to be there.
  const outside = query
    .get('_type')
    ?.split(',')
    .find((type) => !within.includes(type))
  if (outside !== undefined) throw forbidden(c, EVERYTHING_NEEDS, outside)
  const { projection } = await open(bridge, actor, c.req.param('id') ?? '', 'Patient/$everything')
  const hits = everything(projection, query, isLenient(c)).filter(({ resource }) =>
    within.includes(resource.type),
  )
  return fhir(within.said(searchset(projection, hits, place)))
}

async function read(bridge: Bridge, guard: Guard, c: Context): Promise<Response> {
  const [type = '', id = ''] = [c.req.param('type'), c.req.param('id')]
  const { actor } = await guard.allow(c, 'r', type)
  const { projection } = await locate(bridge, c, actor, { type, id })
  const resource = findResource(projection, type, id)
  const version = currentOf(resource)
  if (c.req.query('_original') === 'true') {
    return new Response(new Uint8Array(version.entry.content), {
      // Never what the entry says of itself: another institution's text would be a page of this origin.
      headers: { 'content-type': FHIR_JSON, 'cache-control': 'no-store' },
    })
  }
  return fhir(servedJson(projection, resource, version), 200, {
    etag: `W/"${versionId(version)}"`,
    'last-modified': new Date(version.entry.time).toUTCString(),
  })
}

async function searchType(
  bridge: Bridge,
  guard: Guard,
  c: Context,
  query: URLSearchParams,
): Promise<Response> {
  const type = c.req.param('type') ?? ''
  const { actor } = await guard.allow(c, 's', type)
  const { patientTypes, otherTypes } = bridge.ports.validator
  if (!patientTypes.includes(type) && !otherTypes.includes(type))
    throw new AmpereError('NOT_FOUND', 'not a resource type that is kept here')
  const patient = query.get('patient') ?? query.get('subject')
  const patientId = patient?.replace(/^Patient\//, '') ?? (type === 'Patient' ? query.get('_id') : null)
  if (patientId === null) throw new AmpereError('UNSUPPORTED', 'a search needs patient or subject')
  const { projection } = await open(bridge, actor, patientId, `search ${type}`)
  const hits = search(projection, { type, patientId, query, lenient: isLenient(c) })
  const { base, url } = placeOf(c)
  // Links say what was searched, by GET, whichever way it was asked.
  const self = new URL(`${base}/${type}?${query.toString()}`, url)
  return fhir(searchset(projection, hits, { base, url: self }))
}

function isLenient(c: Context): boolean {
  return (c.req.header('prefer') ?? '').includes('handling=lenient')
}
