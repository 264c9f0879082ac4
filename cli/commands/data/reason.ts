// SPDX-License-Identifier: Apache-2.0
import type { QuarantinedItem } from '#core/record/fhir/intake.ts'

/** An element's path; the names in it could be anything that was sent, so only plain ones are shown. */
const ELEMENT_PATH = /^[A-Za-z][A-Za-z0-9_.[\]]{0,120}$/

/**
 * Why an item is in quarantine, without anything that it says: the type is one of FHIR's names, the place an
 * element's path, the text one of our own.
 */
export function reasonOf(item: Pick<QuarantinedItem, 'issues' | 'text'>): string {
  const [issue] = item.issues
  const diagnostics = issue?.diagnostics ?? ''
  const json = /^not JSON at line \d+, column \d+: (.*)$/.exec(diagnostics)
  if (json) return `not JSON: ${(json[1] ?? '').replace(/^the /, '')}`
  const type = /"resourceType"\s*:\s*"([A-Z][A-Za-z]{2,40})"/.exec(item.text)?.[1] ?? 'resource'
  const expression = issue?.expression ?? ''
  if (ELEMENT_PATH.test(expression)) return `${expression}: ${diagnostics}`
  return /^(?:the )?resource:? /.test(diagnostics)
    ? diagnostics.replace(/^(?:the )?resource(:?) /, `${type}$1 `)
    : `${type}: ${diagnostics}`
}
