// SPDX-License-Identifier: Apache-2.0
import type { RowName } from '#core/ports/table.ts'
import { nameOf } from '../table.ts'

/**
 * The rows that a change feed of a container gives, as the host of Azure Functions passes them on; null where one of them
 * cannot be read, so that whoever is woken looks everywhere.
 */
export function changedRows(items: unknown): readonly RowName[] | null {
  if (!Array.isArray(items)) return null
  const names = items.map(nameOf)
  return names.every((name) => name !== null) ? names : null
}
