// SPDX-License-Identifier: Apache-2.0
import { cite, type Evidence } from '../evidence.ts'
import type { Reading } from '../facts.ts'
import type { Drug } from '../knowledge.ts'
import type { Lookup } from '../rule.ts'
import { codingsOf, displayOf, keysOf, RXNORM } from './codes.ts'
import { momentOf, type Moment } from './moment.ts'

/** A request for a medicine, coded in place or through a Medication that it contains or refers to. */
export interface Medicine {
  readonly reading: Reading
  readonly status: string
  /** `system|code` of the product. */
  readonly keys: readonly string[]
  readonly name: string
  readonly drug: Drug | null
  readonly authored: Moment | null
  readonly until: Moment | null
  /** The elements that say which medicine it is. */
  readonly evidence: readonly Evidence[]
}

/** Requests that are in force or were; proposals, plans and options never were. */
const ORDERS: ReadonlySet<unknown> = new Set([
  undefined,
  'order',
  'original-order',
  'reflex-order',
  'filler-order',
  'instance-order',
])

/** Reads a MedicationRequest; null for what orders nothing: a proposal, or an order not to give something. */
export function medicineOf(reading: Reading, lookup: Lookup): Medicine | null {
  const { item } = reading
  const { resource } = item
  if (!ORDERS.has(resource['intent']) || resource['doNotPerform'] === true) return null
  const { concept, evidence } = productOf(reading, lookup)
  const { end } = ((resource['dispenseRequest'] as Record<string, unknown> | undefined)?.['validityPeriod'] ??
    {}) as {
    end?: unknown
  }
  return {
    reading,
    status: typeof resource['status'] === 'string' ? resource['status'] : '',
    keys: keysOf(concept),
    name: displayOf(concept),
    drug: drugOf(concept, lookup),
    authored: momentOf(resource['authoredOn']),
    until: momentOf(end),
    evidence,
  }
}

function productOf(
  reading: Reading,
  lookup: Lookup,
): { readonly concept: unknown; readonly evidence: readonly Evidence[] } {
  const { item } = reading
  const concept = item.resource['medicationCodeableConcept']
  if (concept !== undefined) return { concept, evidence: [cite(item, '/medicationCodeableConcept')] }
  const { reference } = (item.resource['medicationReference'] ?? {}) as { reference?: unknown }
  if (typeof reference !== 'string') return { concept: undefined, evidence: [] }
  const product = lookup.medication(reading, reference)
  const own = cite(item, '/medicationReference')
  if (!product || product.excluded !== null) return { concept: undefined, evidence: [own] }
  // What it contains is already cited by the reference; another resource may lie in another compartment.
  const code = product.item.resource['code']
  return { concept: code, evidence: reference.startsWith('#') ? [own] : [own, cite(product.item, '/code')] }
}

function drugOf(concept: unknown, { knowledge }: Lookup): Drug | null {
  for (const { system, code } of codingsOf(concept)) {
    const drug = system === RXNORM ? knowledge.drugs.get(code) : undefined
    if (drug) return drug
  }
  return null
}
