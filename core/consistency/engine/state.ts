// SPDX-License-Identifier: Apache-2.0
import { readItem, type Reading, type RecordItem } from '../facts.ts'
import type { Knowledge } from '../knowledge.ts'
import { NOTHING, type Lookup, type Outcome, type Part } from '../rule.ts'
import type { Facet, Situation } from '../situation.ts'
import { addSlot, emptyGroup, removeSlot, type GroupState, type Slot } from './group-state.ts'
import { createMedications, type Medications } from './medications.ts'
import { planOf, type Plan, type Running } from './plan.ts'
import { count, emptyStanding, type Standing } from './tally.ts'
import type { Rule } from '../rule.ts'

/** A resource and what the checks made of it. */
export interface Entry {
  readonly reading: Reading
  readonly slots: Slot[]
  /** Outcomes of the checks that judge a resource alone, in the order of its type's plan. */
  readonly alone: (readonly Outcome[])[]
  /** Facets that are read by a check which it breaks. */
  readonly broken: Set<Facet>
}

/** All that a checker remembers of a record. */
export interface State {
  readonly knowledge: Knowledge
  readonly plan: Plan
  readonly entries: Map<string, Entry>
  readonly patients: Set<Entry>
  readonly medications: Medications<Entry>
  readonly standing: Standing
  /** Groups whose values changed. */
  readonly touched: Map<GroupState, Running>
  /** By facet, who breaks a check of single resources that reads it. */
  readonly broken: Map<Facet, Set<Entry>>
  readonly excluded: Map<string, number>
  situation: Situation
}

export function emptyState(knowledge: Knowledge, rules: readonly Rule[], situation: Situation): State {
  return {
    knowledge,
    plan: planOf(rules),
    entries: new Map(),
    patients: new Set(),
    medications: createMedications(knowledge),
    standing: emptyStanding(),
    touched: new Map(),
    broken: new Map(),
    excluded: new Map(),
    situation,
  }
}

/** Takes a resource in. Whoever must be put into groups again is added to `again`. */
export function addEntry(state: State, item: RecordItem, again: Set<Entry>): void {
  const entry: Entry = { reading: readItem(item, state.knowledge), slots: [], alone: [], broken: new Set() }
  state.entries.set(item.ref, entry)
  noteExclusion(state, entry, 1)
  if (entry.reading.type === 'Patient') state.patients.add(entry)
  if (entry.reading.type === 'Medication') {
    state.medications.add(entry)
    for (const dependent of state.medications.dependents(entry)) again.add(dependent)
  }
  again.add(entry)
}

/** Takes a resource out, with all that it led to. */
export function removeEntry(state: State, entry: Entry, again: Set<Entry>): void {
  leaveGroups(state, entry)
  const plan = state.plan.forType(entry.reading.type)
  for (const [i, outcomes] of entry.alone.entries()) {
    const tally = plan.alone[i]?.tally
    if (tally) for (const outcome of outcomes) count(tally, state.standing, outcome, -1)
  }
  noteExclusion(state, entry, -1)
  again.delete(entry)
  state.entries.delete(entry.reading.item.ref)
  state.patients.delete(entry)
  for (const facet of entry.broken) state.broken.get(facet)?.delete(entry)
  if (entry.reading.type !== 'Medication') return
  for (const dependent of state.medications.dependents(entry)) again.add(dependent)
  state.medications.remove(entry)
}

/** Puts what a resource says into the groups of the checks, instead of what it put there before. */
export function joinGroups(state: State, entry: Entry): void {
  leaveGroups(state, entry)
  const lookup = lookupFor(state, entry)
  const { reading, slots } = entry
  for (const running of state.plan.forType(reading.type).grouped) {
    const { check, groups } = running
    if (reading.excluded !== null && check.readsExcluded !== true) continue
    for (const part of check.parts(reading, lookup)) {
      let group = groups.get(part.key)
      if (!group) {
        group = emptyGroup(check, part.key)
        groups.set(part.key, group)
      }
      const slot = slotOf(group, part, reading.key, slots.length)
      addSlot(slot)
      slots.push(slot)
      state.touched.set(group, running)
    }
  }
}

/** What a check may look up on behalf of a resource; the engine remembers who asked for which Medication. */
export function lookupFor({ knowledge, medications }: State, entry: Entry): Lookup {
  return { knowledge, medication: (_from, reference) => medications.find(entry, reference) }
}

function leaveGroups(state: State, entry: Entry): void {
  state.medications.forget(entry)
  for (const slot of entry.slots) {
    const running = runningOf(state, slot.state)
    if (running) {
      count(running.tally, state.standing, slot.outcome, -1)
      state.touched.set(slot.state, running)
    }
    removeSlot(slot)
  }
  entry.slots.length = 0
}

function runningOf({ plan }: State, group: GroupState): Running | undefined {
  return plan.byCheck.get(group.check)
}

function slotOf(state: GroupState, part: Part<unknown>, key: string, sequence: number): Slot {
  const { value, run = '', at = 0, isAnchor = false } = part
  return { state, value, run, at, isAnchor, key, sequence, outcome: NOTHING }
}

function noteExclusion({ excluded }: State, { reading }: Entry, by: 1 | -1): void {
  if (reading.excluded === null) return
  const next = (excluded.get(reading.excluded) ?? 0) + by
  if (next === 0) excluded.delete(reading.excluded)
  else excluded.set(reading.excluded, next)
}
