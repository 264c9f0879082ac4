// SPDX-License-Identifier: Apache-2.0
import type { Context } from 'hono'
import type { Actor, Bridge } from '#core/bridge/bridge.ts'
import { fileBundle } from '#core/bridge/file/bundle.ts'
import { acceptPairing } from '#core/bridge/file/pair.ts'
import { deleteResource, fileResource } from '#core/bridge/file/write.ts'
import { versionIdOf } from '#core/bridge/serve/projection.ts'
import { JOSE_TYPE } from '#core/api/bridge/pairing.ts'
import { fromUtf8, toHex } from '#core/bytes/encoding.ts'
import { AmpereError } from '#core/errors.ts'
import { outcomeOfIssues } from '#core/record/outcome.ts'
import { readBody, requireType, type Hosting, type RoleApp } from '../host/app.ts'
import { fhir, FHIR_JSON, placeOf } from './answers.ts'
import { insufficient, type Guard } from './guard.ts'
import { locate } from './reads.ts'

/** Largest FHIR body in bytes; larger deliveries are files for `ampere import`. */
export const MAX_FHIR_BYTES = 16 * 1024 * 1024
const MAX_PAIRING_BYTES = 8 * 1024

/** Transactions, batches, create, update, delete, and joining a record by a pairing code, which is signed and needs no token. */
export function addWrites(app: RoleApp, bridge: Bridge, guard: Guard, hosting: Hosting): void {
  app.post('/fhir', async (c) => {
    const { actor, scopes } = await guard.caller(c)
    const { status, body, needed } = await fileBundle(bridge, await fhirBody(c), { actor, scopes })
    return fhir(body, status, needed === null ? {} : { 'www-authenticate': insufficient(needed) })
  })
  app.post('/fhir/:type', async (c) => {
    const type = c.req.param('type')
    const { actor } = await guard.allow(c, 'c', type)
    refuseConditions(c, 'if-none-exist')
    return file(bridge, c, actor, { type, id: null, newId: toHex(hosting.random(16)) })
  })
  app.put('/fhir/:type/:id', async (c) => {
    const { type, id } = c.req.param()
    // SMART App Launch 2: an update that creates is allowed by `u`.
    const { actor } = await guard.allow(c, 'u', type)
    refuseConditions(c, 'if-none-match')
    return file(bridge, c, actor, { type, id, newId: '' })
  })
  app.delete('/fhir/:type/:id', async (c) => {
    const { type, id } = c.req.param()
    const { actor } = await guard.allow(c, 'd', type)
    const { patientId } = await locate(bridge, c, actor, { type, id })
    await deleteResource(bridge, patientId, { type, id, ifMatch: ifMatchOf(c) })
    return new Response(null, { status: 204 })
  })
  app.post('/pairing', async (c) => {
    requireType(c.req.raw, JOSE_TYPE)
    const compact = fromUtf8(await readBody(c.req.raw, MAX_PAIRING_BYTES))
    return c.json({ chain: await acceptPairing(bridge, compact) })
  })
}

async function file(
  bridge: Bridge,
  c: Context,
  actor: Actor,
  given: { type: string; id: string | null; newId: string },
): Promise<Response> {
  const request = { ...given, ifMatch: ifMatchOf(c) }
  const result = await fileResource(bridge, await fhirBody(c), request, actor)
  if ('issues' in result) return fhir(outcomeOfIssues(result.issues), 422)
  const { item, outcome, entry } = result
  const { type, id } = item.draft.header
  const version = entry ? versionIdOf(entry) : ''
  const meta = { ...(item.resource['meta'] as object | undefined), versionId: version }
  return fhir({ ...item.resource, id, meta }, outcome === 'created' ? 201 : 200, {
    location: `${placeOf(c).base}/${type}/${id}/_history/${version}`,
    etag: `W/"${version}"`,
  })
}

/** A condition that is not understood is refused: ignoring it would do what the client wanted to prevent. */
function refuseConditions(c: Context, ...names: readonly string[]): void {
  if (names.some((name) => c.req.header(name) !== undefined))
    throw new AmpereError('UNSUPPORTED', `${names.join(', ')} is not supported`)
}

/** The version in `If-Match: W/"..."`. @throws AmpereError REQUEST_MALFORMED */
function ifMatchOf(c: Context): string | null {
  const header = c.req.header('if-match')
  if (header === undefined) return null
  const version = /^(?:W\/)?"([A-Za-z0-9.-]{1,64})"$/.exec(header.trim())?.[1]
  if (version === undefined) throw new AmpereError('REQUEST_MALFORMED', 'If-Match is not one version')
  return version
}

async function fhirBody(c: Context): Promise<Uint8Array> {
  requireType(c.req.raw, FHIR_JSON, 'application/json')
  return readBody(c.req.raw, MAX_FHIR_BYTES)
}
