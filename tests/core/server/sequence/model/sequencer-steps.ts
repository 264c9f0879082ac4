// SPDX-License-Identifier: Apache-2.0
import { bundleOf, COLD, loggedHeight, readBundle, type Sequencer, type State, type Tree } from './state.ts'

/** Rules of the sequencer that a test can break. */
export interface Rules {
  /** A bundle that is there already is read back and compared before the commit. */
  readonly readsBack: boolean
  /** The name of a bundle says on which tree it builds. */
  readonly namesTreeBelow: boolean
  /** Whoever begins finishes the last commit before anything else. */
  readonly appliesFirst: boolean
  /** A commit compares the tree that it builds on. */
  readonly comparesTree: boolean
  /** Marks go only when their chain is logged to its head. */
  readonly waitsForHead: boolean
}

export const RULES: Rules = {
  readsBack: true,
  namesTreeBelow: true,
  appliesFirst: true,
  comparesTree: true,
  waitsForHead: true,
}

/** Something that must never happen. */
export class Violation extends Error {}

/** A step of a sequencer: what it is called, what the home and its memory are afterwards. */
export interface Taken {
  readonly name: string
  readonly home: Partial<State>
  readonly own: Partial<Sequencer>
}

/** Every step that a sequencer may take now; several where calls are made at the same time. */
export function stepsOf(state: State, own: Sequencer, rules: Rules, runs: number): readonly Taken[] {
  switch (own.step) {
    case 'load':
      return own.runs < runs ? [load(state, own, rules)] : []
    case 'fetch':
      return [fetchBundle(state, own)]
    case 'again':
      return [again(state, own)]
    case 'files':
      return treeOf(own).discard === null
        ? [storeFiles(state, own, 'publish')]
        : [storeFiles(state, own, 'shred'), shred(state, own, 'rest')]
    case 'rest':
      return [storeFiles(state, own, 'publish')]
    case 'publish':
      return [publish(state, own)]
    case 'shred':
      return [shred(state, own, 'publish')]
    case 'look':
      return [look(state, own)]
    case 'collect':
      return [collect(state, own, rules)]
    case 'stage':
      return [stage(state, own, rules)]
    case 'read back':
      return [readBack(state, own)]
    case 'commit':
      return [commit(state, own, rules)]
    case 'lost':
      return [lost(state, own)]
    case 'drop':
      return [{ name: 'drop', home: { staging: without(state.staging, own.bundle?.[0]) }, own: cold(own) }]
    case 'clear':
      return [clear(state, own, rules)]
    case 'remove':
      return [remove(state, own)]
  }
}

function load(state: State, own: Sequencer, rules: Rules): Taken {
  const { tree } = state
  const runs = own.runs + 1
  const begun = { runs, step: 'look' as const }
  if (own.isWarm && own.tree?.version === tree.version) return { name: 'load', home: {}, own: begun }
  const fresh = { ...COLD, ...begun, tree }
  const isApplied = tree.staging === null || !rules.appliesFirst
  return { name: 'load', home: {}, own: isApplied ? edge(state, fresh) : { ...fresh, step: 'fetch' } }
}

function fetchBundle({ staging }: State, own: Sequencer): Taken {
  const name = treeOf(own).staging ?? ''
  const content = staging[name]
  if (content === undefined) return { name: 'fetch', home: {}, own: { step: 'again' } }
  return { name: 'fetch', home: {}, own: { step: 'files', bundle: [name, content] } }
}

function again({ tree }: State, own: Sequencer): Taken {
  if (tree.version === own.tree?.version) throw new Violation('the bundle of the committed tree is missing')
  return { name: 'load', home: {}, own: { tree, step: 'fetch' } }
}

/** Tiles, bundles and positions: adding them is idempotent, and nobody looks at them before what follows. */
function storeFiles(state: State, own: Sequencer, step: 'shred' | 'publish'): Taken {
  const { size, leaves } = readBundle(own.bundle?.[1] ?? '')
  const added = leaves.slice(size).map((leaf, i) => [leaf, size + i] as const)
  const logged = inOrder({ ...Object.fromEntries(added), ...state.logged })
  return { name: 'files', home: { files: withFile(state, treeOf(own)), logged }, own: { step } }
}

function publish(state: State, own: Sequencer): Taken {
  const { leaves } = treeOf(own)
  if (state.published.length > state.tree.leaves.length)
    throw new Violation('more is published than committed')
  const home = state.published.length < leaves.length ? { published: leaves } : {}
  return { name: 'publish', home, own: applied(state, own) }
}

/** The bundle before, beside the parts: what it promised was kept before this tree was committed. */
function shred(state: State, own: Sequencer, step: 'rest' | 'publish'): Taken {
  const home = { staging: without(state.staging, treeOf(own).discard) }
  return { name: 'shred', home, own: { step } }
}

/** After its own commit a run is at its end; a new process now knows where to begin. */
function applied(state: State, own: Sequencer): Sequencer {
  return own.isWarm ? clearing(state, own) : edge(state, own)
}

/** Tiles of a tree that was applied never change, so that reading them is no step of its own. */
function edge({ files: stored }: State, own: Sequencer): Sequencer {
  if (!stored.includes(treeOf(own).leaves.join()))
    throw new Violation('tiles of the committed tree are missing')
  return { ...own, bundle: null, step: 'look', isWarm: true }
}

function look(state: State, own: Sequencer): Taken {
  let { seen } = own
  for (const { chain, height, isOld } of state.marks) if (!isOld) seen = withSeen(seen, chain, height)
  const reading = seen.flatMap(([chain, height]) => ((own.positions[chain] ?? -1) < height ? [chain] : []))
  const looked = { ...own, seen, reading }
  return {
    name: 'look',
    home: {},
    own: reading.length > 0 ? { ...looked, step: 'collect' } : clearing(state, looked),
  }
}

/** Of one chain after the other: first how far it is logged, unless that is known, then its blocks. */
function collect(state: State, own: Sequencer, rules: Rules): Taken {
  const [chain = -1] = toRead(own)
  const position = own.positions[chain]
  if (position === undefined) {
    const positions = { ...own.positions, [chain]: loggedHeight(state.logged, chain) }
    return { name: `position ${chain}`, home: {}, own: { positions } }
  }
  const blocks = state.blocks[chain]?.slice(position + 1) ?? []
  const read = { ...own, pending: { ...own.pending, [chain]: blocks } }
  const isLast = toRead(read).length === 0
  return { name: `read ${chain}`, home: {}, own: isLast ? collected(state, read, rules) : read }
}

function stage({ staging }: State, own: Sequencer, rules: Rules): Taken {
  const [name, content] = bundleIn(own)
  if (staging[name] === undefined)
    return { name: 'stage', home: { staging: { ...staging, [name]: content } }, own: { step: 'commit' } }
  return { name: 'stage', home: {}, own: { step: rules.readsBack ? 'read back' : 'commit' } }
}

function readBack({ staging }: State, own: Sequencer): Taken {
  const [name, content] = bundleIn(own)
  const there = staging[name]
  if (there !== undefined && there !== content) throw new Violation('another bundle has its name')
  return { name: 'read back', home: {}, own: there === undefined ? cold(own) : { step: 'commit' } }
}

function commit({ tree }: State, own: Sequencer, rules: Rules): Taken {
  const [name, content] = bundleIn(own)
  const before = treeOf(own)
  if (rules.comparesTree && tree.version !== before.version)
    return { name: 'commit', home: {}, own: { step: 'lost' } }
  const { leaves } = readBundle(content)
  const committed = { version: tree.version + 1, leaves, staging: name, discard: before.staging }
  const positions = { ...own.positions }
  for (const [chain, blocks] of Object.entries(own.pending))
    positions[Number(chain)] = (positions[Number(chain)] ?? -1) + blocks.length
  return { name: 'commit', home: { tree: committed }, own: { step: 'files', tree: committed, positions } }
}

function lost({ tree }: State, own: Sequencer): Taken {
  const [name] = bundleIn(own)
  const isUsed = tree.staging === name || tree.discard === name
  return { name: 'lost', home: {}, own: isUsed ? cold(own) : { step: 'drop' } }
}

/** Looks at a chain's old marks, after its head and its position. */
function clear(state: State, own: Sequencer, rules: Rules): Taken {
  const chain = own.cleared
  const blocks = state.blocks[chain] ?? []
  const old = state.marks.filter((mark) => mark.chain === chain && mark.isOld)
  const isLogged = loggedHeight(state.logged, chain) >= blocks.length - 1
  const done = old.filter((mark) => !rules.waitsForHead || blocks[mark.height] === mark.block)
  const removing = isLogged || !rules.waitsForHead ? [...own.removing, ...done] : own.removing
  const seen = isLogged || old.length === 0 ? own.seen : withSeen(own.seen, chain, blocks.length - 1)
  const cleared = { ...own, cleared: chain + 1, removing, seen }
  if (chain + 1 < state.blocks.length) return { name: `clear ${chain}`, home: {}, own: cleared }
  return {
    name: `clear ${chain}`,
    home: {},
    own: removing.length > 0 ? { ...cleared, step: 'remove' } : idle(cleared),
  }
}

function remove({ marks }: State, own: Sequencer): Taken {
  const gone = new Set(own.removing.map((mark) => JSON.stringify(mark)))
  const home = { marks: marks.filter((mark) => !gone.has(JSON.stringify(mark))) }
  return { name: 'remove', home, own: idle(own) }
}

function collected(state: State, own: Sequencer, rules: Rules): Sequencer {
  const before = treeOf(own)
  const added = own.seen.flatMap(([chain]) => own.pending[chain] ?? [])
  if (added.length === 0) return clearing(state, own)
  const leaves = [...before.leaves, ...added]
  const content = bundleOf(before.leaves.length, leaves)
  const size = rules.namesTreeBelow ? `${before.leaves.length}-${leaves.length}` : String(leaves.length)
  return { ...own, step: 'stage', bundle: [`${size}-${leaves.join()}`, content] }
}

function toRead({ reading, pending }: Sequencer): number[] {
  return reading.filter((chain) => pending[chain] === undefined)
}

/** Without old marks there is nothing to look at. */
function clearing({ marks }: State, own: Sequencer): Sequencer {
  return marks.some(({ isOld }) => isOld) ? { ...own, step: 'clear' } : idle(own)
}

function idle(own: Sequencer): Sequencer {
  const seen = own.seen.filter(([chain, height]) => (own.positions[chain] ?? -1) < height)
  return { ...COLD, runs: own.runs, isWarm: true, tree: own.tree, seen, positions: own.positions }
}

function cold(own: Sequencer): Sequencer {
  return { ...COLD, runs: own.runs }
}

function treeOf({ tree }: Sequencer): Tree {
  if (!tree) throw new Error('a step without a tree')
  return tree
}

function bundleIn({ bundle }: Sequencer): readonly [string, string] {
  if (!bundle) throw new Error('a step without a bundle')
  return bundle
}

function withFile({ files }: State, { leaves }: Tree): readonly string[] {
  return [...new Set([...files, leaves.join()])].toSorted()
}

function withSeen(seen: Sequencer['seen'], chain: number, height: number): Sequencer['seen'] {
  const known = seen.find(([of]) => of === chain)
  if (!known) return [...seen, [chain, height]]
  return seen.map((each) => (each === known ? [chain, Math.max(known[1], height)] : each))
}

function without(staging: State['staging'], name: string | null | undefined): State['staging'] {
  return Object.fromEntries(Object.entries(staging).filter(([each]) => each !== name))
}

/** Equal records must have equal JSON, whatever came into them first. */
function inOrder(logged: State['logged']): State['logged'] {
  return Object.fromEntries(
    Object.keys(logged)
      .toSorted()
      .map((leaf) => [leaf, logged[leaf] ?? -1]),
  )
}
