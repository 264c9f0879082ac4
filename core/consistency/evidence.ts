// SPDX-License-Identifier: Apache-2.0
import type { RecordItem } from './facts.ts'
import { displayOf, textOf } from './read/codes.ts'

/** A value that a finding cites, and where to read it again. */
export interface Evidence {
  readonly ref: string
  readonly source: string
  readonly compartment: string
  readonly type: string
  readonly id: string
  /** RFC 6901 pointer into the resource. */
  readonly pointer: string
  readonly value: string
}

/** Cites an element of a resource as it stands there, so that a finding cannot say what the resource does not. */
export function cite(item: RecordItem, pointer: string): Evidence {
  return {
    ref: item.ref,
    source: item.source,
    compartment: item.compartment,
    type: item.resource.resourceType,
    id: item.resource.id ?? '',
    pointer,
    value: shown(elementAt(item.resource, pointer)),
  }
}

/** The element to which an RFC 6901 pointer leads, or undefined. */
export function elementAt(resource: unknown, pointer: string): unknown {
  let value = resource
  for (const step of pointer.split('/').slice(1)) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Record<string, unknown>)[step.replaceAll('~1', '/').replaceAll('~0', '~')]
  }
  return value
}

/** An element in words: a Quantity with its unit, a CodeableConcept by its text, a Reference by where it leads. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map(shown).join(', ')
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null)
  const { value: number, code, unit, reference, comparator } = value as Record<string, unknown>
  if (typeof number === 'number')
    return [textOf(comparator), String(number), textOf(code) || textOf(unit)]
      .filter((part) => part !== '')
      .join(' ')
  if (typeof reference === 'string') return reference
  return displayOf(value) || JSON.stringify(value)
}
