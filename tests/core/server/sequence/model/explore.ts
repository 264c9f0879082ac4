// SPDX-License-Identifier: Apache-2.0
import { actionsOf, wrongWith } from './model.ts'
import { RULES, stepsOf, Violation, type Rules } from './sequencer-steps.ts'
import { blockId, COLD, initial, type Bounds, type State } from './state.ts'

/** What an exploration came to. */
export interface Explored {
  /** Different states that were reached. */
  readonly states: number
  /** Those of them in which nothing can happen any more. */
  readonly ends: number
  /** What went wrong first, and the shortest way to it. */
  readonly wrong: { readonly what: string; readonly trace: readonly string[] } | null
}

interface Reached {
  readonly state: State
  readonly from: Reached | null
  readonly by: string
}

/** How many of the states are carried on by a new sequencer, to see that it logs what is stored: one of so many. */
const SETTLED_EVERY = 64

/** Goes through every state within the bounds, nearest first, until something is wrong. */
export function explore(bounds: Bounds, rules: Rules = RULES): Explored {
  const start: Reached = { state: initial(bounds), from: null, by: 'begin' }
  const known = new Set([nameOf(start.state)])
  let ends = 0
  let frontier = [start]
  while (frontier.length > 0) {
    const reached: Reached[] = []
    for (const at of frontier) {
      const found = tryAll(at, bounds, rules, reached, known)
      if (typeof found === 'string')
        return { states: known.size, ends, wrong: { what: found, trace: traceOf(at) } }
      if (found.count === 0) ends++
    }
    frontier = reached
  }
  return { states: known.size, ends, wrong: null }
}

function tryAll(
  at: Reached,
  bounds: Bounds,
  rules: Rules,
  reached: Reached[],
  known: Set<string>,
): string | { readonly count: number } {
  try {
    const actions = actionsOf(at.state, bounds, rules)
    for (const { name, next } of actions) {
      const wrong = wrongWith(at.state, next)
      if (wrong !== null) return `${wrong} (${name})`
      const named = nameOf(next)
      if (known.has(named)) continue
      known.add(named)
      reached.push({ state: next, from: at, by: name })
    }
    if (actions.length === 0 || known.size % SETTLED_EVERY === 0) settle(at.state, rules)
    return { count: actions.length }
  } catch (error) {
    if (error instanceof Violation) return error.message
    throw error
  }
}

/** Lets one new sequencer run alone. @throws Violation when it leaves out what is stored */
function settle(state: State, rules: Rules): void {
  let own = COLD
  let home = state
  while (own.runs < 3 || own.step !== 'load') {
    const [taken] = stepsOf(home, own, rules, 3)
    if (!taken) break
    own = { ...own, ...taken.own }
    home = { ...home, ...taken.home }
  }
  for (const [i, { at, chain, height }] of state.appends.entries())
    if (at === 'stored' && !home.published.includes(blockId(chain, height, i)))
      throw new Violation('a block that is stored is never logged')
}

/** Sequencers are alike: states that differ only in which of them is which are one. */
function nameOf(state: State): string {
  const sequencers = state.sequencers.map((each) => JSON.stringify(each)).toSorted()
  return JSON.stringify({
    ...state,
    staging: Object.entries(state.staging).map(String).toSorted(),
    sequencers,
  })
}

function traceOf(at: Reached): string[] {
  const trace: string[] = []
  for (let each: Reached | null = at; each; each = each.from) trace.unshift(each.by)
  return trace
}
