// SPDX-License-Identifier: Apache-2.0
import type { Outcome } from '../rule.ts'
import { changedFacets, situationOf, type Facet, type Situation } from '../situation.ts'
import { isEmpty, settleGroup, type GroupState } from './group-state.ts'
import type { Running } from './plan.ts'
import { lookupFor, type Entry, type State } from './state.ts'
import { count } from './tally.ts'

/** Judges again whatever the news may have changed. `news` are the resources that were added or read again. */
export function settle(state: State, news: ReadonlySet<Entry>, nowMs: number, isPartial: boolean): void {
  const before = state.situation
  const patients = [...state.patients].map(({ reading }) => reading)
  state.situation = situationOf(patients, nowMs, isPartial)
  const changed = changedFacets(before, state.situation)
  const returned = nowMs < before.nowMs
  const facets: ReadonlySet<Facet> = returned ? new Set([...changed, 'now']) : changed
  for (const facet of facets) for (const running of state.plan.readers(facet)) disturb(state, running)
  for (const [group, running] of state.touched) settleTouched(state, group, running)
  state.touched.clear()
  for (const entry of entriesToJudge(state, news, facets, before)) judgeAlone(state, entry)
}

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

/** All, when a facet that some check of single resources reads has changed; else the news and who was too early. */
function entriesToJudge(
  state: State,
  news: ReadonlySet<Entry>,
  facets: ReadonlySet<Facet>,
  before: Situation,
): Iterable<Entry> {
  const isRead = (facet: Facet) => state.plan.readers(facet).some(({ check }) => check.scope === 'resource')
  if ([...facets].some(isRead)) return state.entries.values()
  return state.situation.nowMs === before.nowMs ? news : new Set([...news, ...state.early])
}

function judgeAlone(state: State, entry: Entry): void {
  const { reading, alone } = entry
  const lookup = lookupFor(state, entry)
  let isEarly = false
  for (const [i, running] of state.plan.forType(reading.type).alone.entries()) {
    const { check } = running
    const after = reading.excluded === null ? check.judge(reading, state.situation, lookup) : NONE
    for (const outcome of alone[i] ?? NONE) count(running.tally, state.standing, outcome, -1)
    for (const outcome of after) count(running.tally, state.standing, outcome, 1)
    alone[i] = after
    if (check.reads?.includes('now') === true && after.some(({ hits }) => hits.length > 0)) isEarly = true
  }
  if (isEarly) state.early.add(entry)
  else state.early.delete(entry)
}

const NONE: readonly Outcome[] = []

function swap({ standing }: State, { tally }: Running, before: Outcome, after: Outcome): void {
  if (before === after) return
  count(tally, standing, before, -1)
  count(tally, standing, after, 1)
}
