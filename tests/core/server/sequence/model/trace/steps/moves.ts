// SPDX-License-Identifier: Apache-2.0
import { wrongWith } from '../../model.ts'
import { RULES, stepsOf, Violation, type Taken } from '../../sequencer-steps.ts'
import type { Sequencer, State } from '../../state.ts'

/** A walk through the states of the model. */
export class Moves {
  state: State
  /** Steps that were taken, by their name, with chains left out. */
  readonly taken = new Map<string, number>()

  constructor(state: State) {
    this.state = state
  }

  /** The only step that the model has for a process now, or the one of that name. */
  step(actor: number, name?: string): void {
    const own = this.own(actor)
    const steps = stepsOf(this.state, own, RULES, Number.POSITIVE_INFINITY)
    const found: Taken | undefined = name === undefined ? steps[0] : steps.find((each) => each.name === name)
    if (!found) throw new Violation(`${name ?? 'a step'} while it should ${own.step}`)
    const sequencers = this.state.sequencers.with(actor, { ...own, ...found.own })
    this.move({ ...this.state, ...found.home, sequencers }, found.name)
  }

  move(next: State, name: string): void {
    const wrong = wrongWith(this.state, next)
    if (wrong !== null) throw new Violation(wrong)
    this.state = next
    this.count(name)
  }

  count(name: string): void {
    const kind = name.replace(/ \d+$/, '')
    this.taken.set(kind, (this.taken.get(kind) ?? 0) + 1)
  }

  own(actor: number): Sequencer {
    const own = this.state.sequencers[actor]
    if (!own) throw new Violation('no such sequencer')
    return own
  }

  set(actor: number, changed: Partial<Sequencer>): void {
    this.state = {
      ...this.state,
      sequencers: this.state.sequencers.with(actor, { ...this.own(actor), ...changed }),
    }
  }
}
