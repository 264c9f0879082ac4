// SPDX-License-Identifier: Apache-2.0
import type { Json } from '#core/bytes/canonical-json.ts'

/** Where a value is in a document. */
export type Path = readonly (string | number)[]

/** Every place in a document, whole lists and objects included. */
export function placesIn(value: Json, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  const inner = Object.entries(value).flatMap(([key, item]) =>
    placesIn(item, [...path, Array.isArray(value) ? Number(key) : key]),
  )
  return path.length === 0 ? inner : [path, ...inner]
}

/** The value at a place. */
export function valueAt(value: Json, path: Path): Json {
  return path.reduce<Json>((at, step) => (at as Record<string | number, Json>)[step] as Json, value)
}

/** The document with the value at a place replaced, or left out where `put` gives undefined. */
export function replaced(value: Json, path: Path, put: (old: Json) => Json | undefined): Json {
  const copy = structuredClone(value)
  let at = copy as Record<string | number, Json>
  for (const step of path.slice(0, -1)) at = at[step] as Record<string | number, Json>
  const last = path.at(-1) ?? ''
  const next = put(at[last] as Json)
  if (next !== undefined) at[last] = next
  else if (Array.isArray(at)) at.splice(Number(last), 1)
  else delete at[last]
  return copy
}
