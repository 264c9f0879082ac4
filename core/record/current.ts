// SPDX-License-Identifier: Apache-2.0
import type { EntryHeader } from './entry.ts'

/** What decides which version of a resource is the current one. */
export interface Versioned {
  readonly header: EntryHeader
  readonly height: number
  /** Place in its block: of two versions in one block the later one is newer. */
  readonly index: number
  /** Entry id. */
  readonly id: string
}

/** All versions of one resource of one source, the current one first. */
export interface ResourceVersions<T extends Versioned> {
  readonly key: string
  readonly versions: readonly T[]
}

/** Names a resource: the same logical id of two sources is two resources. */
export function resourceKey(header: Pick<EntryHeader, 'source' | 'type' | 'id'>): string {
  return `${header.source}/${header.type}/${header.id}`
}

/**
 * Groups entries by resource and orders the versions: source version, then source time, then height.
 * A late old version is kept and never shown as current. The order of the entries does not matter.
 */
export function foldVersions<T extends Versioned>(
  entries: readonly T[],
): ReadonlyMap<string, ResourceVersions<T>> {
  const groups = new Map<string, T[]>()
  for (const entry of entries) {
    const key = resourceKey(entry.header)
    const group = groups.get(key)
    if (group) group.push(entry)
    else groups.set(key, [entry])
  }
  return new Map([...groups].map(([key, group]) => [key, { key, versions: group.toSorted(newestFirst) }]))
}

/** True when a resource is there to be shown: its newest version is neither deleted nor entered in error. */
export function isShown(entry: Versioned): boolean {
  return entry.header.status === 'current' || entry.header.status === 'corrected'
}

function newestFirst(a: Versioned, b: Versioned): number {
  return (
    byVersion(b.header.version, a.header.version) ||
    compare(b.header.time ?? '', a.header.time ?? '') ||
    b.height - a.height ||
    b.index - a.index
  )
}

/** Counting versions compare as numbers; others cannot be ordered, and the next criterion decides. */
function byVersion(a: string | null, b: string | null): number {
  const counting = /^\d{1,15}$/
  return a !== null && b !== null && counting.test(a) && counting.test(b) ? Number(a) - Number(b) : 0
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
