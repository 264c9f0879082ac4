// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '../../bytes/encoding.ts'
import { toTimestamp } from '../../bytes/timestamp.ts'
import { digestOf } from '../../crypto/hash.ts'
import { AmpereError } from '../../errors.ts'
import { COMPARTMENTS, type EntryDraft } from '../../record/entry.ts'
import type { Intake, QuarantinedItem } from '../../record/fhir/intake.ts'
import type { Issue } from '../../record/fhir/model.ts'
import { patientReference } from '../../record/fhir/references.ts'
import type { Actor, Bridge } from '../bridge.ts'
import { versionId, type Projection, type ServedVersion } from '../serve/projection.ts'
import { currentOf, findResource } from '../serve/serve.ts'
import { toNewEntries, type FiledItem } from './file-resources.ts'
import { needsPatient } from './group-patients.ts'
import { ontoJudged } from './onto-judged.ts'

/** A refusal that carries what validation found. */
export type Refused = { readonly issues: readonly Issue[] }

/** What a request asks for beside its body. */
export interface WriteRequest {
  readonly type: string
  /** The id in the URL of an update; null for a create, which is given `newId`. */
  readonly id: string | null
  readonly newId: string
  /** The version that the client has seen, from `If-Match: W/"..."`; null when it does not say. */
  readonly ifMatch: string | null
}

type DeleteRequest = Pick<WriteRequest, 'type' | 'id' | 'ifMatch'>

/**
 * Files one resource: an update under the URL's id, a create under a new one.
 * @throws AmpereError RESOURCE_MALFORMED, PRECONDITION_FAILED, GONE (it was erased from this record)
 */
export async function fileResource(
  bridge: Bridge,
  bytes: Uint8Array,
  request: WriteRequest,
  actor?: Actor,
): Promise<FiledItem | Refused> {
  const createId = request.id === null ? request.newId : undefined
  const intake = bridge.intake(bytes, 'fhir+json', createId)
  const [bad] = intake.quarantined
  if (bad) return { issues: withPosition(bad) }
  const [item] = intake.items
  if (!item || intake.bundleType !== null)
    throw new AmpereError('RESOURCE_MALFORMED', 'one resource is expected')
  const { resource } = item
  if (resource.resourceType !== request.type || (request.id !== null && resource.id !== request.id)) {
    throw new AmpereError('RESOURCE_MALFORMED', 'type and id of the resource are not those of the URL')
  }
  await checkPatient(bridge, intake)
  const { ifMatch } = request
  const precondition = (projection: Projection | null) => {
    if (ifMatch !== null) requireVersion(ownCurrent(bridge, projection, request), ifMatch)
  }
  const { filed } = await bridge.fileIntake(intake, { resend: 'single', actor, precondition })
  const [done] = filed
  if (!done) throw new AmpereError('RESOURCE_MALFORMED', 'the resource names no patient')
  if (done.outcome === 'erased') throw erasedBefore()
  return done
}

/** Files a version that says the resource was deleted. What was there stays in the history. */
export function deleteResource(bridge: Bridge, patientId: string, request: DeleteRequest): Promise<void> {
  return bridge.inTurn(patientId, () => ontoJudged(() => fileDeletion(bridge, patientId, request)))
}

async function fileDeletion(bridge: Bridge, patientId: string, request: DeleteRequest): Promise<void> {
  const { type, id, ifMatch } = request
  const { chain, projection } = await bridge.record(patientId)
  const resource = projection.resources.get(`${type}/${id ?? ''}`)
  // Deleting what is not there is done already (FHIR R4 section 3.1.0.7.1).
  if (resource?.versions[0]?.header.status === 'deleted') return
  const current = currentOf(findResource(projection, type, id ?? ''))
  if (ifMatch !== null) requireVersion(current, ifMatch)
  const { header } = current
  if (header.source !== bridge.ports.source)
    throw new AmpereError('FORBIDDEN', 'another institution wrote the resource')
  const content = utf8(JSON.stringify({ resourceType: type, id: header.id }))
  const received = toTimestamp(bridge.ports.now())
  const draft: EntryDraft = {
    header: {
      ...header,
      version: null,
      time: received,
      status: 'deleted',
      origin: { format: 'fhir+json', hash: digestOf(content), received },
    },
    content,
    compartment: compartmentOf(current),
  }
  await bridge.ports.client.append(chain, toNewEntries([draft]), projection.view.height)
}

/** The refusal of what was erased: it does not come back by being sent again. */
export function erasedBefore(): AmpereError {
  return new AmpereError('GONE', 'it was erased from this record and is not filed again')
}

/** What quarantine says, with the entry's place where it names no element. */
export function withPosition(item: QuarantinedItem): Issue[] {
  return item.issues.map((issue) => ({
    ...issue,
    expression: issue.expression === '' ? `Bundle.entry[${item.position}]` : issue.expression,
  }))
}

/** Where the resource was: who could not read it must not learn from its deletion that it existed. */
function compartmentOf({ entry }: ServedVersion): EntryDraft['compartment'] {
  return COMPARTMENTS.find((name) => name === entry.compartmentName) ?? 'unclassified'
}

function ownCurrent(
  bridge: Bridge,
  projection: Projection | null,
  request: WriteRequest,
): ServedVersion | null {
  const version = projection?.resources.get(`${request.type}/${request.id ?? ''}`)?.versions[0]
  return version?.header.source === bridge.ports.source ? version : null
}

function requireVersion(current: ServedVersion | null, ifMatch: string): void {
  if (current && ifMatch === versionId(current)) return
  throw new AmpereError('PRECONDITION_FAILED', 'the resource has another version than the one in If-Match')
}

/**
 * The patient that a resource names must be known here: a typing error must not make a chain. Who and where
 * and definitions belong to the institution itself.
 */
async function checkPatient(bridge: Bridge, { items: [item] }: Intake): Promise<void> {
  const { patientTypes, otherTypes } = bridge.ports.validator
  const type = item?.resource.resourceType ?? ''
  if (!item || !(patientTypes.includes(type) || otherTypes.includes(type)))
    throw new AmpereError('UNSUPPORTED', 'resources of this type are not filed')
  if (type === 'Patient') return
  const reference = patientReference(item.resource)
  if (reference === null && !needsPatient(type, patientTypes)) return
  const id = /Patient\/([A-Za-z0-9.-]{1,64})$/.exec(reference ?? '')?.[1]
  if (id === undefined || (await bridge.ports.store.patients.find(id)) === null)
    throw new AmpereError('RESOURCE_MALFORMED', 'the resource names no patient that is known here')
}
