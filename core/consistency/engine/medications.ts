// SPDX-License-Identifier: Apache-2.0
import { readItem, type Reading, type RecordItem } from '../facts.ts'
import type { Knowledge } from '../knowledge.ts'

/** Finds the Medications that other resources refer to, and who must be read again when one changes. */
export interface Medications<E extends { readonly reading: Reading }> {
  readonly add: (entry: E) => void
  readonly remove: (entry: E) => void
  /** Notes that `asker` depends on what the reference leads to. */
  readonly find: (asker: E, reference: string) => Reading | null
  readonly forget: (asker: E) => void
  /** Who depends on a Medication that came or went. */
  readonly dependents: (entry: E) => ReadonlySet<E>
}

const NOBODY: ReadonlySet<never> = new Set()

export function createMedications<E extends { readonly reading: Reading }>(
  knowledge: Knowledge,
): Medications<E> {
  const byName = new Map<string, Set<E>>()
  const askers = new Map<string, Set<E>>()
  const asked = new Map<E, Set<string>>()
  return {
    add: (entry) => namesOf(entry.reading.item).forEach((name) => put(byName, name, entry)),
    remove: (entry) => namesOf(entry.reading.item).forEach((name) => take(byName, name, entry)),
    find: (asker, reference) => {
      const { item } = asker.reading
      if (reference.startsWith('#')) return contained(item, reference.slice(1), knowledge)
      const name = nameOf(item.source, reference)
      put(askers, name, asker)
      put(asked, asker, name)
      return first(byName.get(name))
    },
    forget: (asker) => {
      for (const name of asked.get(asker) ?? []) take(askers, name, asker)
      asked.delete(asker)
    },
    dependents: (entry) => {
      const found = namesOf(entry.reading.item).map((name) => askers.get(name) ?? NOBODY)
      return new Set(found.flatMap((some) => [...some]))
    },
  }
}

/** A UUID means the same resource whoever names it; a plain id only within its institution. */
function namesOf({ source, resource, fullUrl }: RecordItem): readonly string[] {
  if (resource.resourceType !== 'Medication') return []
  const names = [`${source}/Medication/${resource.id ?? ''}`, `urn:uuid:${resource.id ?? ''}`]
  return fullUrl === undefined || fullUrl === null ? names : [...new Set([...names, fullUrl])]
}

function nameOf(source: string, reference: string): string {
  const plain = reference.replace(/\/_history\/[^/]*$/, '')
  return plain.startsWith('Medication/') ? `${source}/${plain}` : plain
}

function contained(item: RecordItem, id: string, knowledge: Knowledge): Reading | null {
  const list = item.resource['contained']
  if (!Array.isArray(list)) return null
  const resource = (list as RecordItem['resource'][]).find(
    (one) => one.id === id && one.resourceType === 'Medication',
  )
  return resource ? readItem({ ...item, resource }, knowledge) : null
}

function first<E extends { readonly reading: Reading }>(entries: ReadonlySet<E> | undefined): Reading | null {
  let best: Reading | null = null
  for (const { reading } of entries ?? []) if (best === null || reading.key < best.key) best = reading
  return best
}

function put<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const set = map.get(key)
  if (set) set.add(value)
  else map.set(key, new Set([value]))
}

function take<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const set = map.get(key)
  set?.delete(value)
  if (set?.size === 0) map.delete(key)
}
