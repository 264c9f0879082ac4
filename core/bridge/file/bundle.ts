// SPDX-License-Identifier: Apache-2.0
import { AmpereError, isAmpereError } from '../../errors.ts'
import type { Intake, QuarantinedItem } from '../../record/fhir/intake.ts'
import type { IntakeItem } from '../../record/fhir/model.ts'
import { outcomeOf, outcomeOfIssues } from '../../record/outcome.ts'
import { isAllowed, type Scopes } from '../../token/scopes.ts'
import type { Bridge } from '../bridge.ts'
import type { Caller } from '../token/login.ts'
import { groupByPatient, NO_PATIENT } from './group-patients.ts'
import { versionIdOf } from '../serve/projection.ts'
import type { FiledItem } from './file-resources.ts'
import { erasedBefore, withPosition } from './write.ts'

/** An answer to a whole bundle. */
export interface BundleAnswer {
  readonly status: number
  readonly body: object
  /** The scope whose want fails a whole transaction; null where that does not. */
  readonly needed: string | null
}

/** Why one entry cannot be carried out, with its HTTP status. */
interface Refusal {
  readonly position: number
  readonly status: string
  readonly outcome: object
  readonly needed?: string
}

/**
 * Files a transaction (all or nothing) or a batch (each for itself) and answers entry by entry, in order.
 * @throws AmpereError RESOURCE_MALFORMED
 */
export async function fileBundle(bridge: Bridge, bytes: Uint8Array, caller: Caller): Promise<BundleAnswer> {
  const intake = bridge.intake(bytes, 'fhir+json')
  const { bundleType } = intake
  if (bundleType !== 'transaction' && bundleType !== 'batch') {
    throw new AmpereError('RESOURCE_MALFORMED', 'a Bundle that is posted here is a transaction or a batch')
  }
  const refusals = refusalsOf(intake, bridge.ports.validator.patientTypes, caller.scopes)
  const [first] = refusals
  if (bundleType === 'transaction' && first)
    return { status: Number(first.status), body: first.outcome, needed: first.needed ?? null }
  const refused = new Set(refusals.map(({ position }) => position))
  const accepted = { ...intake, items: intake.items.filter((item) => !refused.has(item.position)) }
  const updates = updatesWithin(caller.scopes, bundleType)
  const how = { resend: 'message', actor: caller.actor, mayUpdate: updates.may } as const
  let filed: readonly FiledItem[]
  try {
    ;({ filed } = await bridge.fileIntake(accepted, how))
  } catch (error) {
    const needed = updates.needed()
    if (needed === null || !isAmpereError(error, 'FORBIDDEN')) throw error
    return { status: 403, body: outcomeOf(error), needed }
  }
  const answers = new Map<number, object>(filed.map((item) => [item.item.position, answerOf(item)]))
  for (const { position, status, outcome } of refusals)
    answers.set(position, { response: { status, outcome } })
  const entry = [...answers].toSorted(([a], [b]) => a - b).map(([, answer]) => answer)
  return {
    status: 200,
    body: { resourceType: 'Bundle', type: `${bundleType}-response`, entry },
    needed: null,
  }
}

/** Everything in a bundle that is not carried out, in order of position. */
function refusalsOf(intake: Intake, patientTypes: readonly string[], scopes: Scopes): readonly Refusal[] {
  const outside = intake.items.flatMap((item) => outsideScopes(item, scopes))
  const bare = intake.requests.map(({ position }) => refusal(position, unsupportedMethod()))
  const asked = intake.items.flatMap((item) => {
    const error = checkRequest(item)
    return error ? [refusal(item.position, error)] : []
  })
  const { homeless } = groupByPatient(intake, patientTypes)
  const aboutNobody = homeless.map(({ position }) =>
    refusal(position, new AmpereError('RESOURCE_MALFORMED', NO_PATIENT)),
  )
  const found = [
    ...bare,
    ...asked,
    ...twice(intake.items),
    ...aboutNobody,
    ...intake.quarantined.map(quarantineRefusal),
  ]
  // What may not be done is not judged any further.
  const judged = new Set(outside.map(({ position }) => position))
  const others = found.filter(({ position }) => !judged.has(position))
  return [...outside, ...others].toSorted((a, b) => a.position - b.position)
}

/** An update may create (SMART App Launch 2), so that each method needs one letter. */
function outsideScopes({ request, resource, position }: IntakeItem, scopes: Scopes): readonly Refusal[] {
  const interaction = request?.method === 'PUT' ? 'u' : 'c'
  if (isAllowed(scopes, interaction, resource.resourceType)) return []
  const needed = `system/${resource.resourceType}.${interaction}`
  return [{ position, status: '403', outcome: outcomeOf(notCovered(needed)), needed }]
}

function notCovered(needed: string): AmpereError {
  return new AmpereError('FORBIDDEN', `the access token does not have the scope ${needed}`)
}

/**
 * A create names its resource itself, by `fullUrl` or id, so that a message can be sent again. One that would change what is there is an
 * update: it fails a whole transaction, and in a batch itself.
 */
function updatesWithin(scopes: Scopes, bundleType: 'transaction' | 'batch') {
  let needed: string | null = null
  return {
    may: ({ resource: { resourceType } }: IntakeItem): boolean => {
      if (isAllowed(scopes, 'u', resourceType)) return true
      if (bundleType === 'batch') return false
      needed = `system/${resourceType}.u`
      throw notCovered(needed)
    },
    needed: () => needed,
  }
}

/** What an entry asks for must be something that is done here, and fit what it brings. */
function checkRequest({ request, resource }: IntakeItem): AmpereError | null {
  if (!request) return new AmpereError('RESOURCE_MALFORMED', 'an entry has no request')
  if (request.method !== 'POST' && request.method !== 'PUT') return unsupportedMethod()
  if (request.conditions.length > 0)
    return new AmpereError('UNSUPPORTED', 'conditional entries are not supported')
  const { resourceType, id } = resource
  const wanted = request.method === 'POST' ? resourceType : `${resourceType}/${id ?? ''}`
  if (request.url === wanted) return null
  if (request.url.includes('?'))
    return new AmpereError('UNSUPPORTED', 'conditional entries are not supported')
  return new AmpereError('RESOURCE_MALFORMED', 'the URL of an entry is not that of its resource')
}

/** FHIR R4 section 3.1.0.11.2: in one transaction or batch a resource is written at most once. */
function twice(items: readonly IntakeItem[]): readonly Refusal[] {
  const seen = new Set<string>()
  return items.flatMap((item) => {
    const { type, id } = item.draft.header
    const name = `${type}/${id}`
    if (!seen.has(name)) {
      seen.add(name)
      return []
    }
    return [refusal(item.position, new AmpereError('RESOURCE_MALFORMED', 'the same resource occurs twice'))]
  })
}

function unsupportedMethod(): AmpereError {
  return new AmpereError('UNSUPPORTED', 'entries are POST or PUT, with a resource')
}

function refusal(position: number, error: AmpereError): Refusal {
  const status = error.code === 'UNSUPPORTED' ? '501' : '422'
  return { position, status, outcome: outcomeOf(error) }
}

function quarantineRefusal(item: QuarantinedItem): Refusal {
  return { position: item.position, status: '422', outcome: outcomeOfIssues(withPosition(item)) }
}

/** One entry's answer. What was erased before is said, and does not fail the others. */
function answerOf({ item, outcome, entry }: FiledItem): object {
  const { type, id } = item.draft.header
  if (outcome === 'refused')
    return { response: { status: '403', outcome: outcomeOf(notCovered(`system/${type}.u`)) } }
  if (outcome === 'erased' || !entry)
    return { response: { status: '410 Gone', outcome: outcomeOf(erasedBefore()) } }
  const version = versionIdOf(entry)
  return {
    response: {
      status: outcome === 'created' ? '201 Created' : '200 OK',
      location: `${type}/${id}/_history/${version}`,
      etag: `W/"${version}"`,
      lastModified: item.draft.header.time ?? entry.time,
    },
  }
}
