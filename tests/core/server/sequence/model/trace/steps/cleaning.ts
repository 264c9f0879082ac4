// SPDX-License-Identifier: Apache-2.0
import { Violation } from '../../sequencer-steps.ts'
import { loggedHeight, type State } from '../../state.ts'
import type { Names } from './names.ts'
import type { Call } from '../observed.ts'

/** What is known of a chain whose old marks are looked at. */
interface Looked {
  readonly head: number
  /** Null before its position was read. */
  readonly logged: number | null
}

/**
 * A round over old marks, which reads head, position and blocks of a chain one after the other, where the model does it at
 * once: the calls must come in that order, and a mark may go if what they found allows it.
 */
export class Cleaning {
  readonly #names: Names
  readonly #read = new Set<string>()
  readonly #looked = new Map<number, Looked>()
  readonly #there = new Set<string>()

  constructor(names: Names) {
    this.#names = names
  }

  /** Marks of one shard, by their keys. */
  readMarks(state: State, keys: readonly string[]): void {
    for (const key of keys) {
      const { name, chain } = this.#names.block(this.#names.append(key.split('/')[2] ?? ''))
      if (!state.marks.some((mark) => mark.block === name && mark.isOld))
        throw new Violation('a mark is old that is not')
      this.#read.add(name)
      this.#looked.delete(chain)
    }
  }

  /** A call about one chain. */
  read(state: State, chain: number, { name, args }: Call): void {
    const blocks = state.blocks[chain] ?? []
    const isHead = name === 'blocks.range' && (args[1] as { reverse?: boolean }).reverse === true
    if (isHead) {
      this.#looked.set(chain, { head: blocks.length - 1, logged: null })
      for (const block of this.#there) if (block.startsWith(`${chain}-`)) this.#there.delete(block)
      // The head itself is read with its key.
      const head = blocks.at(-1)
      if (head !== undefined) this.#there.add(head)
    } else if (name === 'leaves.range') {
      const looked = this.#looked.get(chain)
      if (looked) this.#looked.set(chain, { ...looked, logged: loggedHeight(state.logged, chain) })
    } else for (const block of blocks) this.#there.add(block)
  }

  /** Chains, with their heads, of which more is stored than logged: the next run reads them. Forgotten once said. */
  overlooked(): (readonly [chain: number, height: number])[] {
    const found = [...this.#looked].filter(([, { head, logged }]) => logged !== null && logged < head)
    this.#looked.clear()
    return found.map(([chain, { head }]) => [chain, head])
  }

  /** @throws Violation unless what was read says that this block is logged, and its chain to its head */
  mayRemove(block: string): void {
    const [chain = -1, height = -1] = block.split('-').map(Number)
    const looked = this.#looked.get(chain)
    if (!this.#read.has(block) || !looked) throw new Violation('a mark is removed that was not looked at')
    if (looked.logged === null || looked.logged < looked.head)
      throw new Violation('a mark is removed of a chain that is not logged to its head')
    if (height > looked.head || !this.#there.has(block))
      throw new Violation('a mark is removed before its block is logged')
  }
}
