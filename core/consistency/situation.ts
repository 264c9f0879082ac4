// SPDX-License-Identifier: Apache-2.0
import type { Reading } from './facts.ts'
import { momentOf, type Moment } from './read/moment.ts'

/** A date of the patient's life and the resource that states it. */
export interface LifeDate {
  readonly at: Moment
  readonly reading: Reading
  readonly pointer: string
}

/** What judgements about single resources depend on beside the resource. */
export interface Situation {
  /** Earliest stated birth date. */
  readonly birth: LifeDate | null
  /** Latest stated birth date; differs from the earliest where institutions disagree. */
  readonly lastBirth: LifeDate | null
  /** Latest stated date of death. */
  readonly death: LifeDate | null
  /** Institutions that describe the patient. */
  readonly describedBy: ReadonlySet<string>
  /** ms since 1970 against which "in the future" is judged. */
  readonly nowMs: number
  /** True when part of the record is sealed from whoever checks it. */
  readonly partial: boolean
}

/** Parts of a situation that a check may depend on. Only checks of single resources may cite a date of life. */
export type Facet = 'birth' | 'death' | 'describedBy' | 'now' | 'partial'

/** Derives the situation from the record's Patient resources. */
export function situationOf(patients: readonly Reading[], nowMs: number, partial: boolean): Situation {
  const usable = patients.filter(isPatientInUse).toSorted((a, b) => (a.key < b.key ? -1 : 1))
  const births = datesOf(usable, 'birthDate')
  const deaths = datesOf(usable, 'deceasedDateTime')
  return {
    birth: pick(births, (a, b) => a.at.from < b.at.from),
    lastBirth: pick(births, (a, b) => a.at.to > b.at.to),
    death: pick(deaths, (a, b) => a.at.to > b.at.to),
    describedBy: new Set(usable.map(({ item }) => item.source)),
    nowMs,
    partial,
  }
}

/** A Patient resource that its institution still uses: neither inactive nor replaced by another one. */
export function isPatientInUse({ excluded, item: { resource } }: Reading): boolean {
  const links = Array.isArray(resource['link']) ? (resource['link'] as { type?: unknown }[]) : []
  return (
    excluded === null && resource['active'] !== false && !links.some(({ type }) => type === 'replaced-by')
  )
}

/** Which facets differ; `now` is judged apart, because it always does. */
export function changedFacets(before: Situation, after: Situation): ReadonlySet<Facet> {
  const changed = new Set<Facet>()
  const isBirthSame = isSame(before.birth, after.birth) && isSame(before.lastBirth, after.lastBirth)
  if (!isBirthSame) changed.add('birth')
  if (!isSame(before.death, after.death)) changed.add('death')
  if (!hasSameMembers(before.describedBy, after.describedBy)) changed.add('describedBy')
  if (before.partial !== after.partial) changed.add('partial')
  return changed
}

/** Which dates of life are the same, but stated by another version of the resource, to be cited anew. */
export function renewedFacets(before: Situation, after: Situation): ReadonlySet<Facet> {
  const renewed = new Set<Facet>()
  if (before.birth?.reading !== after.birth?.reading) renewed.add('birth')
  if (before.death?.reading !== after.death?.reading) renewed.add('death')
  return renewed
}

/** True when the same resource, in whatever version, states the same in the same compartment. */
function isSame(a: LifeDate | null, b: LifeDate | null): boolean {
  if (a === null || b === null) return a === b
  const [x, y] = [a.reading.item, b.reading.item]
  return (
    a.at.text === b.at.text &&
    x.source === y.source &&
    x.resource.id === y.resource.id &&
    x.compartment === y.compartment
  )
}

function hasSameMembers(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((one) => b.has(one))
}

function datesOf(patients: readonly Reading[], element: string): LifeDate[] {
  return patients.flatMap((reading) => {
    const at = momentOf(reading.item.resource[element])
    return at ? [{ at, reading, pointer: `/${element}` }] : []
  })
}

function pick(dates: readonly LifeDate[], isBetter: (a: LifeDate, b: LifeDate) => boolean): LifeDate | null {
  let best: LifeDate | null = null
  for (const date of dates) if (best === null || isBetter(date, best)) best = date
  return best
}
