// SPDX-License-Identifier: Apache-2.0
import type { EntryDraft } from '../entry.ts'

/** A FHIR resource as parsed JSON; its shape is the validator's business. */
export interface FhirResource {
  readonly resourceType: string
  readonly id?: string
  readonly [member: string]: unknown
}

/** One thing that is wrong with a resource; `code` is a FHIR IssueType. It never repeats a value. */
export interface Issue {
  readonly severity: 'error' | 'warning'
  readonly code: 'structure' | 'required' | 'value' | 'invariant' | 'code-invalid' | 'not-supported'
  /** FHIRPath of the element, or empty for the whole. */
  readonly expression: string
  readonly diagnostics: string
}

/** One resource that is ready to be filed. */
export interface IntakeItem {
  /** Index in the bundle, or line number from 1. */
  readonly position: number
  readonly resource: FhirResource
  readonly draft: EntryDraft
  /** What a transaction or batch asks for; null elsewhere. */
  readonly request: {
    readonly method: string
    readonly url: string
    /** Names of the conditions that it states, such as `ifMatch`. */
    readonly conditions: readonly string[]
  } | null
  readonly fullUrl: string | null
}
