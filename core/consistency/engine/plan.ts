// SPDX-License-Identifier: Apache-2.0
import type { Check, ResourceCheck, Rule } from '../rule.ts'
import type { Facet } from '../situation.ts'
import type { GroupState } from './group-state.ts'
import type { Tally } from './tally.ts'

/** A check with its rule's counts and its groups. */
export interface Running<C extends Check = Check> {
  readonly check: C
  readonly tally: Tally
  readonly groups: Map<string, GroupState>
}

/** The checks of all rules, and which of them a resource type concerns. */
export interface Plan {
  readonly tallies: readonly Tally[]
  readonly byCheck: ReadonlyMap<Check, Running>
  readonly forType: (type: string) => TypePlan
  readonly readers: (facet: Facet) => readonly Running[]
}

/** What is done with each resource of a type. */
export interface TypePlan {
  readonly alone: readonly Running<ResourceCheck>[]
  readonly grouped: readonly Running<Exclude<Check, ResourceCheck>>[]
}

/** Arranges the rules for the engine. */
export function planOf(rules: readonly Rule[]): Plan {
  const tallies = rules.map((rule): Tally => ({ rule, checked: 0, hits: 0, reasons: new Map() }))
  const all = tallies.flatMap((tally) =>
    tally.rule.checks.map((check): Running => ({ check, tally, groups: new Map() })),
  )
  const types = new Map<string, TypePlan>()
  const readers = Map.groupBy(
    all.flatMap((running) => (running.check.reads ?? []).map((facet) => ({ facet, running }))),
    ({ facet }) => facet,
  )
  return {
    tallies,
    byCheck: new Map(all.map((running) => [running.check, running])),
    forType: (type) => {
      const before = types.get(type)
      if (before) return before
      const concerned = all.filter(({ check }) => check.types === null || check.types.includes(type))
      const plan = { alone: concerned.filter(isAlone), grouped: concerned.filter(isGrouped) }
      types.set(type, plan)
      return plan
    },
    readers: (facet) => (readers.get(facet) ?? []).map(({ running }) => running),
  }
}

function isAlone(running: Running): running is Running<ResourceCheck> {
  return running.check.scope === 'resource'
}

function isGrouped(running: Running): running is Running<Exclude<Check, ResourceCheck>> {
  return running.check.scope !== 'resource'
}
