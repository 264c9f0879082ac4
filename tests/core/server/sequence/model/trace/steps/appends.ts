// SPDX-License-Identifier: Apache-2.0
import { actionsOf } from '../../model.ts'
import { RULES, Violation } from '../../sequencer-steps.ts'
import { blockId } from '../../state.ts'
import type { Moves } from './moves.ts'
import type { Names } from './names.ts'
import type { Call } from '../observed.ts'

/** Nothing is bounded that a trace does. */
export const NO_BOUNDS = { sequencers: 0, runs: Number.POSITIVE_INFINITY, crashes: 0, agings: 0 } as const

/** Holds the calls of appends against the model. */
export class Appends {
  /** Marks with a time before this are old. */
  oldBefore = ''
  readonly #at: Moves
  readonly #names: Names

  constructor(at: Moves, names: Names) {
    this.#at = at
    this.#names = names
  }

  /** Takes a call of an append. @throws Violation when the model has no such step */
  take(i: number, { name, args, result }: Call): void {
    const { chain, height, id } = this.#names.block(i)
    const own = this.#at.state.appends[i]
    if (!own) throw new Violation('no such append')
    const block = blockId(chain, height, i)
    if (name === 'dirty.insert') {
      if (!String(args[1]).endsWith(`/${id}`)) throw new Violation('a mark of another block')
      const mark = { chain, height, block, isOld: String(args[1]) < this.oldBefore }
      const appends =
        own.at === 'idle'
          ? this.#at.state.appends.with(i, { chain, height, at: 'marked' })
          : this.#at.state.appends
      // What is marked again at the same moment is one row.
      const marks = result === 'inserted' ? [...this.#at.state.marks, mark] : this.#at.state.marks
      this.#at.move({ ...this.#at.state, appends, marks }, 'append: mark')
    } else if (name === 'blocks.insert') {
      const action = actionsOf(this.#at.state, { ...NO_BOUNDS, appends: [] }, RULES).find(
        (each) => each.name === `append ${i}: store`,
      )
      if (!action) throw new Violation('a block is stored before its mark')
      if ((action.next.appends[i]?.at === 'stored') !== (result === 'inserted'))
        throw new Violation('a block is stored at a height that the model refuses')
      this.#at.move(action.next, 'append: store')
    }
  }
}
