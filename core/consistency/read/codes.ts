// SPDX-License-Identifier: Apache-2.0
import type { FhirResource } from '../../record/fhir/model.ts'

export const LOINC = 'http://loinc.org'
export const RXNORM = 'http://www.nlm.nih.gov/research/umls/rxnorm'
export const CVX = 'http://hl7.org/fhir/sid/cvx'

export interface Coding {
  readonly system: string
  readonly code: string
  readonly display: string
}

const NONE: readonly Coding[] = []

/** All codings of a CodeableConcept, or of a list of them. */
export function codingsOf(value: unknown): readonly Coding[] {
  if (typeof value !== 'object' || value === null) return NONE
  if (Array.isArray(value)) return value.flatMap(codingsOf)
  const { coding } = value as { coding?: unknown }
  if (!Array.isArray(coding)) return NONE
  const found: Coding[] = []
  for (const one of coding as readonly unknown[]) {
    const { system, code, display } = (one ?? {}) as Readonly<Record<keyof Coding, unknown>>
    if (typeof code === 'string') found.push({ system: textOf(system), code, display: textOf(display) })
  }
  return found
}

/** What people read of a CodeableConcept: its text, else a display, else a code. */
export function displayOf(value: unknown): string {
  const { text } = (value ?? {}) as { text?: unknown }
  if (typeof text === 'string' && text !== '') return text
  const [first] = codingsOf(value)
  return first ? first.display || first.code : ''
}

/** The codes of a status element like `clinicalStatus`. */
export function hasStatus(resource: FhirResource, element: string, ...codes: readonly string[]): boolean {
  return codingsOf(resource[element]).some(({ code }) => codes.includes(code))
}

/** `system|code` of each coding whose system is stated: a bare code means nothing elsewhere. */
export function keysOf(value: unknown): readonly string[] {
  return [
    ...new Set(codingsOf(value).flatMap(({ system, code }) => (system === '' ? [] : [`${system}|${code}`]))),
  ]
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

const STATED_ERROR = 'entered-in-error'

/**
 * Why a resource takes part in no rule, or null when it does. FHIR forbids to read on over a modifier that is not
 * understood (R4, 2.5.1); what was cancelled before a result states nothing.
 */
export function exclusionOf(resource: FhirResource): string | null {
  const { status, modifierExtension } = resource
  if (status === STATED_ERROR || hasStatus(resource, 'verificationStatus', STATED_ERROR))
    return 'entered in error'
  if (Array.isArray(modifierExtension) && modifierExtension.length > 0)
    return 'a modifier extension that is not understood'
  if (resource['implicitRules'] !== undefined) return 'implicit rules that are not understood'
  const isResult = resource.resourceType === 'Observation' || resource.resourceType === 'DiagnosticReport'
  if (isResult && status === 'cancelled') return 'a result that was cancelled'
  return null
}

export function isRefuted(resource: FhirResource): boolean {
  return hasStatus(resource, 'verificationStatus', 'refuted')
}
