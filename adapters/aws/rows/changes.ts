// SPDX-License-Identifier: Apache-2.0
import type { RowName } from '#core/ports/table.ts'
import { nameOf } from './item.ts'

/**
 * The rows that a stream of a table tells of, by the keys of its records (Amazon DynamoDB Streams, StreamRecord); null where
 * one of them cannot be read, so that whoever is woken looks everywhere.
 */
export function changedRows(event: Readonly<Record<string, unknown>>): readonly RowName[] | null {
  const { Records: records } = event
  if (!Array.isArray(records)) return null
  const names = records.map((record: unknown) => nameOf(keysOf(record)))
  return names.every((name) => name !== null) ? names : null
}

function keysOf(record: unknown): unknown {
  return (record as { readonly dynamodb?: { readonly Keys?: unknown } } | null)?.dynamodb?.Keys
}
