// SPDX-License-Identifier: Apache-2.0
import type { Outcome, ResourceCheck } from '../rule.ts'
import { changedFacets, renewedFacets, situationOf, type Facet } from '../situation.ts'
import { isEmpty, settleGroup, type GroupState } from './group-state.ts'
import type { Running } from './plan.ts'
import { lookupFor, type Entry, type State } from './state.ts'
import { count } from './tally.ts'

/** Judges again whatever the news may have changed. `news` are the resources that were added or read again. */
export function settle(state: State, news: ReadonlySet<Entry>, nowMs: number, isPartial: boolean): void {
  const before = state.situation
  const patients = [...state.patients].map(({ reading }) => reading)
  const after = situationOf(patients, nowMs, isPartial)
  state.situation = after
  const changed = new Set(changedFacets(before, after))
  if (nowMs < before.nowMs) changed.add('now')
  for (const facet of changed) for (const running of state.plan.readers(facet)) disturb(state, running)
  for (const [group, running] of state.touched) settleTouched(state, group, running)
  state.touched.clear()
  for (const entry of news) judgeAlone(state, entry, () => true)
  // As time passes, and where a date of life is only cited anew, only what broke a rule is judged otherwise.
  const moved = new Set<Facet>([...renewedFacets(before, after), ...(nowMs > before.nowMs ? NOW : [])])
  const isConcerned = ({ reads = [] }: ResourceCheck) =>
    reads.some((facet) => changed.has(facet) || moved.has(facet))
  for (const entry of entriesToJudge(state, changed, moved)) {
    if (!news.has(entry)) judgeAlone(state, entry, isConcerned)
  }
}

const NOW: readonly Facet[] = ['now']

/** Marks all groups of a check to be judged again. */
function disturb(state: State, running: Running): void {
  for (const group of running.groups.values()) {
    group.dirty = 'all'
    state.touched.set(group, running)
  }
}

function settleTouched(state: State, group: GroupState, running: Running): void {
  settleGroup(group, state.situation, (before, after) => swap(state, running, before, after))
  if (isEmpty(group)) running.groups.delete(group.key)
}

/** All, when a facet that some check of single resources reads has changed; else who broke one that reads what moved. */
function entriesToJudge(
  state: State,
  changed: ReadonlySet<Facet>,
  moved: ReadonlySet<Facet>,
): Iterable<Entry> {
  const isRead = (facet: Facet) => state.plan.readers(facet).some(({ check }) => check.scope === 'resource')
  if ([...changed].some(isRead)) return state.entries.values()
  return new Set([...moved].flatMap((facet) => [...(state.broken.get(facet) ?? [])]))
}

function judgeAlone(state: State, entry: Entry, isConcerned: (check: ResourceCheck) => boolean): void {
  const { reading, alone } = entry
  const lookup = lookupFor(state, entry)
  for (const [i, { check, tally }] of state.plan.forType(reading.type).alone.entries()) {
    if (!isConcerned(check)) continue
    const after = reading.excluded === null ? check.judge(reading, state.situation, lookup) : NONE
    for (const outcome of alone[i] ?? NONE) count(tally, state.standing, outcome, -1)
    for (const outcome of after) count(tally, state.standing, outcome, 1)
    alone[i] = after
  }
  noteBroken(state, entry)
}

/** Remembers by facet who breaks a check that reads it. */
function noteBroken(state: State, entry: Entry): void {
  for (const facet of entry.broken) state.broken.get(facet)?.delete(entry)
  entry.broken.clear()
  for (const [i, { check }] of state.plan.forType(entry.reading.type).alone.entries()) {
    if (!check.reads || !entry.alone[i]?.some(({ hits }) => hits.length > 0)) continue
    for (const facet of check.reads) {
      entry.broken.add(facet)
      const some = state.broken.get(facet)
      if (some) some.add(entry)
      else state.broken.set(facet, new Set([entry]))
    }
  }
}

const NONE: readonly Outcome[] = []

function swap({ standing }: State, { tally }: Running, before: Outcome, after: Outcome): void {
  if (before === after) return
  count(tally, standing, before, -1)
  count(tally, standing, after, 1)
}
