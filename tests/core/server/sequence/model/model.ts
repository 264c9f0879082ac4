// SPDX-License-Identifier: Apache-2.0
import { stepsOf, Violation, type Rules } from './sequencer-steps.ts'
import { blockId, COLD, isPrefix, placeOf, type Bounds, type Mark, type State } from './state.ts'

/** One thing that may happen: by whom, what, and what is then. */
export interface Action {
  readonly name: string
  readonly next: State
}

/** Everything that may happen in a state. @throws Violation when one of them must never be */
export function actionsOf(state: State, bounds: Bounds, rules: Rules): readonly Action[] {
  return [
    ...appendActions(state),
    ...state.sequencers.flatMap((own, i) =>
      stepsOf(state, own, rules, bounds.runs).map(({ name, home, own: changed }) => ({
        name: `sequencer ${i}: ${name}`,
        next: {
          ...state,
          ...home,
          sequencers: state.sequencers.with(i, { ...own, ...changed }),
        },
      })),
    ),
    ...witnessActions(state),
    ...(state.crashes < bounds.crashes ? crashes(state) : []),
    ...(state.agings < bounds.agings && state.marks.length > 0 ? [aging(state)] : []),
  ]
}

/**
 * An append marks, then stores its block at its height if that is free, and may end in between. What is stored
 * counts as acknowledged: more than is promised.
 */
function appendActions(state: State): Action[] {
  return state.appends.flatMap((append, i) => {
    const { chain, height, at } = append
    const blocks = state.blocks[chain] ?? []
    const becomes = (changed: Partial<typeof append>, home: Partial<State> = {}): State => ({
      ...state,
      ...home,
      appends: state.appends.with(i, { ...append, ...changed }),
    })
    if (at === 'idle') {
      const mark = { chain, height: blocks.length, block: blockId(chain, blocks.length, i), isOld: false }
      const next = becomes({ at: 'marked', height: blocks.length }, { marks: withMark(state.marks, mark) })
      return [{ name: `append ${i}: mark`, next }]
    }
    const block = blockId(chain, height, i)
    if (at === 'marked') {
      if (blocks.length !== height) return [{ name: `append ${i}: store`, next: becomes({ at: 'refused' }) }]
      const next = becomes({ at: 'stored' }, { blocks: state.blocks.with(chain, [...blocks, block]) })
      return [{ name: `append ${i}: store`, next }]
    }
    return []
  })
}

/** A witness is shown what is published, and cosigns what continues what it cosigned. */
function witnessActions(state: State): Action[] {
  const { published, witness } = state
  if (!witness.asked) {
    if (published.length <= witness.leaves.length) return []
    return [{ name: 'witness: ask', next: { ...state, witness: { ...witness, asked: published } } }]
  }
  if (!isPrefix(witness.leaves, witness.asked)) throw new Violation('the witness was shown a fork')
  return [{ name: 'witness: cosign', next: { ...state, witness: { leaves: witness.asked, asked: null } } }]
}

/** A process ends, or learns that a call failed and forgets all that it knew: what comes next is the same. */
function crashes(state: State): Action[] {
  return state.sequencers.flatMap((own, i) => {
    if (own.step === 'load' && !own.isWarm) return []
    const sequencers = state.sequencers.with(i, { ...COLD, runs: own.runs })
    return [{ name: `sequencer ${i}: crash`, next: { ...state, sequencers, crashes: state.crashes + 1 } }]
  })
}

function aging(state: State): Action {
  const marks = state.marks.map((mark) => ({ ...mark, isOld: true }))
  return { name: 'time passes', next: { ...state, marks: sorted(marks), agings: state.agings + 1 } }
}

/** What is wrong with a state that came of another, or null. */
export function wrongWith(
  before: State,
  { tree, published, witness, files, logged, ...state }: State,
): string | null {
  const { leaves } = tree
  if (new Set(leaves).size !== leaves.length) return 'a block is logged twice'
  if (!isInOrder(leaves)) return 'a chain is logged with a gap or out of order'
  if (leaves.some((leaf) => !state.blocks.some((chain) => chain.includes(leaf))))
    return 'what is not stored is logged'
  if (!isPrefix(before.tree.leaves, leaves)) return 'the log was forked'
  if (!isPrefix(before.published, published) || !isPrefix(published, leaves))
    return 'the published log was forked'
  if (!files.includes(published.join())) return 'what is published is not stored'
  if (published.some((leaf, i) => logged[leaf] !== i)) return 'what is published has no position'
  if (Object.entries(logged).some(([leaf, i]) => leaves[i] !== leaf)) return 'a position is wrong'
  if (!isPrefix(witness.leaves, leaves)) return 'the witness cosigned a fork'
  const isLost = state.appends.some(
    ({ at, chain, height }, i) =>
      at === 'stored' &&
      !leaves.includes(blockId(chain, height, i)) &&
      !state.marks.some((mark) => mark.chain === chain),
  )
  return isLost ? 'nothing leads to a block that is stored' : null
}

function isInOrder(leaves: readonly string[]): boolean {
  const heights = new Map<number, number>()
  return leaves.every((leaf) => {
    const [chain, height] = placeOf(leaf)
    const before = heights.get(chain) ?? -1
    heights.set(chain, height)
    return height === before + 1
  })
}

function withMark(marks: readonly Mark[], mark: Mark): readonly Mark[] {
  return sorted([...marks, mark])
}

function sorted(marks: readonly Mark[]): readonly Mark[] {
  return marks.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
}

function key({ block, isOld }: Mark): string {
  return `${block}/${isOld}`
}
