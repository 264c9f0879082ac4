// SPDX-License-Identifier: Apache-2.0
import type { Context } from 'hono'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { toHex } from '#core/bytes/encoding.ts'
import type { Bridge } from '#core/bridge/bridge.ts'
import { capabilityStatement } from '#core/bridge/serve/capability.ts'
import type { Projection } from '#core/bridge/serve/projection.ts'
import { servedJson } from '#core/bridge/serve/projection.ts'
import { search } from '#core/bridge/serve/search.ts'
import {
  currentOf,
  everything,
  findResource,
  history,
  provenance,
  searchset,
  versionOf,
  type Place,
} from '#core/bridge/serve/serve.ts'
import { deleteResource, fileBundle, fileResource } from '#core/bridge/file/write.ts'
import { PROBLEMS } from '#core/api/problems.ts'
import { AmpereError } from '#core/errors.ts'
import { outcomeOf, outcomeOfIssues } from '#core/record/outcome.ts'
import { createApp, readBody, requireType, type Hosting, type RoleApp } from '../host/app.ts'

/** Largest FHIR body in bytes; larger deliveries are files for `ampere import`. */
export const MAX_FHIR_BYTES = 16 * 1024 * 1024
const FHIR_JSON = 'application/fhir+json'

/** How the app finds out which patient a request without one in its path is about. */
interface Asked {
  readonly projection: Projection
  readonly patientId: string
}

/** One institution's FHIR R4 endpoint. Every answer about a patient is entered in the access log. */
export function bridgeApp(bridge: Bridge, hosting: Hosting): RoleApp {
  const app = createApp('bridge', hosting)
  app.onError((error, c) => fhirProblem(c, error, hosting))
  app.get('/fhir/metadata', (c) => fhir(capabilityStatement(placeOf(c).base, toTimestamp(hosting.now()))))
  addReads(app, bridge)
  addWrites(app, bridge, hosting)
  return app
}

function addReads(app: RoleApp, bridge: Bridge): void {
  app.get('/fhir/Patient/:id/$everything', async (c) => {
    const { projection } = await open(bridge, c, c.req.param('id'), 'Patient/$everything')
    return fhir(searchset(projection, everything(projection), placeOf(c)))
  })
  app.get('/fhir/:type/:id/_history/:version', async (c) => {
    const { type, id, version } = c.req.param()
    const { projection } = await locate(bridge, c, type, id)
    const resource = findResource(projection, type, id)
    return fhir(servedJson(projection, resource, versionOf(resource, version)), 200, {
      etag: `W/"${version}"`,
    })
  })
  app.get('/fhir/:type/:id/_history', async (c) => {
    const { type, id } = c.req.param()
    const { projection } = await locate(bridge, c, type, id)
    return fhir(history(projection, findResource(projection, type, id), placeOf(c)))
  })
  app.get('/fhir/Provenance', async (c) => {
    const [type = '', id = ''] = (c.req.query('target') ?? '').split('/')
    const { projection } = await locate(bridge, c, type, id)
    const resource = findResource(projection, type, id)
    const entry = resource.versions.map((version) => ({ resource: provenance(resource, version) }))
    return fhir({
      resourceType: 'Bundle',
      type: 'searchset',
      link: [{ relation: 'self', url: c.req.url }],
      entry,
    })
  })
  app.get('/fhir/:type/:id', (c) => read(bridge, c))
  app.get('/fhir/:type', (c) => searchType(bridge, c))
}

function addWrites(app: RoleApp, bridge: Bridge, hosting: Hosting): void {
  app.post('/fhir', async (c) => {
    const { status, body } = await fileBundle(bridge, await fhirBody(c))
    return fhir(body, status)
  })
  app.post('/fhir/:type', (c) =>
    filed(bridge, c, { type: c.req.param('type'), id: null, newId: toHex(hosting.random(16)) }),
  )
  app.put('/fhir/:type/:id', (c) =>
    filed(bridge, c, { type: c.req.param('type'), id: c.req.param('id'), newId: '' }),
  )
  app.delete('/fhir/:type/:id', async (c) => {
    const { type, id } = c.req.param()
    const { patientId } = await locate(bridge, c, type, id)
    await deleteResource(bridge, patientId, type, id)
    return new Response(null, { status: 204 })
  })
}

async function read(bridge: Bridge, c: Context): Promise<Response> {
  const [type = '', id = ''] = [c.req.param('type'), c.req.param('id')]
  const { projection } = await locate(bridge, c, type, id)
  const resource = findResource(projection, type, id)
  const version = currentOf(resource)
  if (c.req.query('_original') === 'true') {
    return new Response(new Uint8Array(version.entry.content), {
      headers: { 'content-type': version.header.media },
    })
  }
  const headers = {
    etag: `W/"${resource.versions.length}"`,
    'last-modified': new Date(version.entry.time).toUTCString(),
  }
  return fhir(servedJson(projection, resource, version), 200, headers)
}

async function searchType(bridge: Bridge, c: Context): Promise<Response> {
  const url = new URL(c.req.url)
  const patient = url.searchParams.get('patient') ?? url.searchParams.get('subject')
  const patientId =
    patient?.replace(/^Patient\//, '') ??
    (c.req.param('type') === 'Patient' ? url.searchParams.get('_id') : null)
  if (patientId === null) throw new AmpereError('UNSUPPORTED', 'a search needs patient or subject')
  const { projection } = await open(bridge, c, patientId, `search ${c.req.param('type') ?? ''}`)
  const lenient = (c.req.header('prefer') ?? '').includes('handling=lenient')
  return fhir(
    searchset(
      projection,
      search(projection, c.req.param('type') ?? '', url.searchParams, lenient),
      placeOf(c),
    ),
  )
}

async function filed(
  bridge: Bridge,
  c: Context,
  given: { type: string; id: string | null; newId: string },
): Promise<Response> {
  const result = await fileResource(bridge, await fhirBody(c), given)
  if ('issues' in result) return fhir(outcomeOfIssues(result.issues), 422)
  const { type, id } = result.item.draft.header
  return fhir(result.item.resource, result.outcome === 'created' ? 201 : 200, {
    location: `${placeOf(c).base}/${type}/${id}`,
  })
}

/** Opens a patient's record and notes that it was opened. */
async function open(bridge: Bridge, c: Context, patientId: string, what: string): Promise<Asked> {
  const { chain, projection } = await bridge.record(patientId)
  bridge.ports.access.record({
    chain,
    user: c.req.header('x-ampere-user') ?? 'local',
    role: c.req.header('x-ampere-role') ?? 'integrator',
    purpose: c.req.header('x-ampere-purpose') ?? 'TREAT',
    what,
    resources: projection.resources.size,
  })
  return { projection, patientId }
}

/** The patient whose record holds a resource: named in the query, the resource itself, or looked for. */
async function locate(bridge: Bridge, c: Context, type: string, id: string): Promise<Asked> {
  const named = c.req.query('patient')?.replace(/^Patient\//, '')
  if (named !== undefined) return open(bridge, c, named, `read ${type}`)
  if (type === 'Patient') return open(bridge, c, id, 'read Patient')
  for (const patient of await bridge.ports.index.list()) {
    const { projection } = await bridge.record(patient.id)
    if (projection.resources.has(`${type}/${id}`)) return open(bridge, c, patient.id, `read ${type}`)
  }
  throw new AmpereError('NOT_FOUND', 'no such resource')
}

async function fhirBody(c: Context): Promise<Uint8Array> {
  requireType(c.req.raw, FHIR_JSON, 'application/json')
  return readBody(c.req.raw, MAX_FHIR_BYTES)
}

function placeOf(c: Context): Place {
  const url = new URL(c.req.url)
  const path = url.pathname.slice(0, url.pathname.indexOf('/fhir') + '/fhir'.length)
  return { base: `${url.origin}${path}`, url }
}

function fhir(body: object, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': `${FHIR_JSON}; fhirVersion=4.0`, 'cache-control': 'no-store', ...headers },
  })
}

function fhirProblem(c: Context, error: unknown, hosting: Hosting): Response {
  const known =
    error instanceof AmpereError ? error : new AmpereError('STORE_UNAVAILABLE', 'something went wrong here')
  const status = error instanceof AmpereError ? PROBLEMS[known.code].status : 500
  hosting.log({
    event: 'problem',
    requestId: String(c.get('requestId') ?? ''),
    code: error instanceof AmpereError ? known.code : 'UNEXPECTED',
    status,
    ...(error instanceof AmpereError ? {} : { error: error instanceof Error ? error.name : typeof error }),
  })
  return fhir(outcomeOf(known), status)
}
