// SPDX-License-Identifier: Apache-2.0
import type { Issue } from '../../record/fhir/model.ts'
import { fromUtf8, utf8 } from '../../bytes/encoding.ts'
import { toTimestamp } from '../../bytes/timestamp.ts'
import { digestOf } from '../../crypto/hash.ts'
import { AmpereError } from '../../errors.ts'
import type { EntryDraft } from '../../record/entry.ts'
import type { Intake, QuarantinedItem } from '../../record/fhir/intake.ts'
import { patientReference } from '../../record/fhir/references.ts'
import { outcomeOfIssues } from '../../record/outcome.ts'
import type { Bridge } from '../bridge.ts'
import { toNewEntries, type FiledItem } from './file-resources.ts'
import { currentOf, findResource } from '../serve/serve.ts'

/** A refusal that carries what validation found. */
export type Refused = { readonly issues: readonly Issue[] }

/** Methods that a transaction or batch may ask for here. */
const WRITES = ['POST', 'PUT']

/**
 * Files a transaction (all or nothing) or a batch (each for itself) and answers entry by entry, in order.
 * @throws AmpereError RESOURCE_MALFORMED, UNSUPPORTED
 */
export async function fileBundle(
  bridge: Bridge,
  bytes: Uint8Array,
): Promise<{ readonly status: number; readonly body: object }> {
  const intake = bridge.intake(bytes, 'fhir+json')
  const { bundleType } = intake
  if (bundleType !== 'transaction' && bundleType !== 'batch') {
    throw new AmpereError('RESOURCE_MALFORMED', 'a Bundle that is posted here is a transaction or a batch')
  }
  const unsupported = intake.items.find((item) => item.request && !WRITES.includes(item.request.method))
  if (unsupported || intake.items.some((item) => item.request?.ifNoneExist !== undefined)) {
    throw new AmpereError('UNSUPPORTED', 'entries are POST or PUT, without ifNoneExist')
  }
  const [bad] = intake.quarantined
  if (bundleType === 'transaction' && bad) return { status: 422, body: outcomeOfIssues(withPosition(bad)) }
  const { filed } = await bridge.fileIntake(intake)
  const answers = new Map<number, object>(filed.map((item) => [item.item.position, answerOf(item)]))
  for (const item of intake.quarantined) {
    answers.set(item.position, { response: { status: '422', outcome: outcomeOfIssues(withPosition(item)) } })
  }
  const entry = [...answers].toSorted(([a], [b]) => a - b).map(([, answer]) => answer)
  return { status: 200, body: { resourceType: 'Bundle', type: `${bundleType}-response`, entry } }
}

/** Files one resource under its own id, or a new one. @throws AmpereError RESOURCE_MALFORMED, NOT_FOUND */
export async function fileResource(
  bridge: Bridge,
  bytes: Uint8Array,
  given: { readonly type: string; readonly id: string | null; readonly newId: string },
): Promise<FiledItem | Refused> {
  const intake = bridge.intake(given.id === null ? withId(bytes, given.newId) : bytes, 'fhir+json')
  const [bad] = intake.quarantined
  if (bad) return { issues: withPosition(bad) }
  const [item] = intake.items
  if (!item || intake.bundleType !== null)
    throw new AmpereError('RESOURCE_MALFORMED', 'one resource is expected')
  if (item.resource.resourceType !== given.type || (given.id !== null && item.resource.id !== given.id)) {
    throw new AmpereError('RESOURCE_MALFORMED', 'type and id of the resource are not those of the URL')
  }
  await checkKnownPatient(bridge, intake)
  const { filed } = await bridge.fileIntake(intake)
  const [done] = filed
  if (!done) throw new AmpereError('RESOURCE_MALFORMED', 'the resource names no patient')
  return done
}

/** Files a version that says the resource was deleted. What was there stays in the history. */
export async function deleteResource(
  bridge: Bridge,
  patientId: string,
  type: string,
  id: string,
): Promise<void> {
  const { chain, projection } = await bridge.record(patientId)
  const resource = findResource(projection, type, id)
  const { header } = currentOf(resource)
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
    compartment: 'general',
  }
  await bridge.ports.client.append(chain, toNewEntries([draft]))
}

/** A resource other than Patient needs a patient that is known here: a typing error must not make a chain. */
async function checkKnownPatient(bridge: Bridge, intake: Intake): Promise<void> {
  const [item] = intake.items
  if (!item || item.resource.resourceType === 'Patient') return
  const id = /Patient\/([A-Za-z0-9.-]{1,64})$/.exec(patientReference(item.resource) ?? '')?.[1]
  if (id === undefined || (await bridge.ports.index.find(id)) === null) {
    throw new AmpereError('RESOURCE_MALFORMED', 'the resource names no patient that is known here')
  }
}

/** FHIR gives a created resource a new id: it is put in front, the rest of the text stays as it was sent. */
function withId(bytes: Uint8Array, id: string): Uint8Array {
  const text = fromUtf8(bytes)
  const parsed = JSON.parse(text) as { id?: unknown }
  if (parsed.id !== undefined) return utf8(JSON.stringify({ ...parsed, id }))
  return utf8(text.replace('{', `{"id":${JSON.stringify(id)},`))
}

function answerOf(filed: FiledItem): object {
  const { type, id } = filed.item.draft.header
  const status = filed.outcome === 'created' ? '201 Created' : '200 OK'
  return {
    response: {
      status,
      location: `${type}/${id}`,
      ...(filed.entry ? { lastModified: filed.entry.time } : {}),
    },
  }
}

function withPosition(item: QuarantinedItem): Issue[] {
  return item.issues.map((issue) => ({
    ...issue,
    expression: issue.expression === '' ? `Bundle.entry[${item.position}]` : issue.expression,
  }))
}
